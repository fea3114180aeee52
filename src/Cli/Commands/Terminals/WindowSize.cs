using System.Globalization;
using System.Runtime.InteropServices;
using Orchestrator.Cli.Client;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Terminals;

/// <summary>Keeps a program's terminal as large as ours.</summary>
internal sealed class WindowSize : IAsyncDisposable
{
    private const int Output = 1;
    private readonly PosixSignalRegistration _registration;
    private readonly SemaphoreSlim _changed = new(1);
    private readonly CancellationTokenSource _over = new();
    private readonly Task _following;

    /// <param name="client">The daemon's.</param>
    /// <param name="path">The resize call of the container or exec, which runs already.</param>
    /// <param name="redraws">Whether to tell another size first: a program that runs already draws its screen only when that changes.</param>
    internal WindowSize(EngineClient client, string path, bool redraws = false)
    {
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ =>
        {
            if (_changed.CurrentCount == 0)
                _changed.Release();
        });
        _following = FollowAsync(client, path, redraws ? 1 : 0);
    }

    /// <summary>Rows and columns of our terminal; empty when we have none.</summary>
    internal static IReadOnlyList<int> Now => ConsoleMode.Size(Output) is var (rows, columns) ? [rows, columns] : [];

    public async ValueTask DisposeAsync()
    {
        _registration.Dispose();
        await _over.CancelAsync();
        await _following;
        _changed.Dispose();
        _over.Dispose();
    }

    /// <param name="more">Rows and columns that the first size told has too many.</param>
    private async Task FollowAsync(EngineClient client, string path, int more)
    {
        var stop = _over.Token;
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stop);
                if (Now is not [var rows, var columns])
                    continue;
                try
                {
                    for (var extra = more; extra >= 0; extra--)
                    {
                        await client.SendAsync(
                            HttpMethod.Post,
                            EngineClient.Query(path, ("h", (rows + extra).ToString(CultureInfo.InvariantCulture)), ("w", (columns + extra).ToString(CultureInfo.InvariantCulture))), stop);
                    }
                    more = 0;
                }
                catch (EngineException)
                {
                    // The program ended, or is not quite there yet: a size that comes late harms nobody.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The terminal is given back.
        }
    }
}
