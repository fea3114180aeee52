using System.Threading.Channels;

using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>
/// Makes sandboxes ahead of their use on a thread of its own: about half a millisecond each that no attach waits for.
/// They are kept by handle alone, so a daemon that dies leaves none behind.
/// </summary>
internal sealed class WarmNamespaces : IAsyncDisposable
{
    private readonly Channel<SandboxNamespace> ready;
    private readonly NamespaceThread maker = new("orch netns");
    private readonly CancellationTokenSource stop = new();
    private readonly Task filling;

    internal WarmNamespaces(int count, ILogger log)
    {
        ready = Channel.CreateBounded<SandboxNamespace>(Math.Max(1, count));
        filling = count > 0 ? FillAsync(log) : Task.CompletedTask;
    }

    internal ValueTask<SandboxNamespace> TakeAsync()
        => ready.Reader.TryRead(out var warm) ? ValueTask.FromResult(warm) : new ValueTask<SandboxNamespace>(maker.RunAsync(() => SandboxNamespace.Create()));

    /// <summary>One in a namespace that was made elsewhere.</summary>
    internal ValueTask<SandboxNamespace> MakeAsync(Func<SafeFileHandle> make) => new(maker.RunAsync(() => SandboxNamespace.Create(make)));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await filling;
        while (ready.Reader.TryRead(out var unused))
            unused.Dispose();
        maker.Dispose();
        stop.Dispose();
    }

    private async Task FillAsync(ILogger log)
    {
        try
        {
            while (await ready.Writer.WaitToWriteAsync(stop.Token))
            {
                var made = await maker.RunAsync(() => SandboxNamespace.Create());
                if (!ready.Writer.TryWrite(made))
                    made.Dispose();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposal ends the filling.
        }
        catch (IOException error)
        {
            log.WarmingStopped(error.Message);
        }
    }
}
