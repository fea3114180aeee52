using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Sessions at containers' own stdio, whose ends come from the shim.</summary>
internal sealed partial class ShimRuntime
{
    public async Task<IAttachSession> AttachAsync(string id, CancellationToken stop)
    {
        var staying = new CancellationTokenSource();
        var answers = shim.ExchangeAsync(
            RuntimeService.ServiceName, RuntimeService.Attach, new ShimMessage(Request(id, 0)), staying.Token).GetAsyncEnumerator(CancellationToken.None);
        try
        {
            await using var giveUp = stop.Register(staying.Cancel);
            if (!await NextAsync(answers))
                throw new RuntimeException($"attach to {id}: the shim answered nothing.");
            var opened = Parse(answers.Current.Payload).Session ?? throw new RuntimeException($"attach to {id}: the shim did not say what it opened.");
            var received = answers.Current.Files;
            var files = new SessionFiles
            {
                Id = opened.Id,
                Input = opened.Input ? received[0] : null,
                Output = received[opened.Input ? 1 : 0],
                Error = opened.Error ? received[^1] : null,
            };
            return new AttachSession(
                files, Sessions, () => MarkInputFinalAsync(id, opened.Id),
                (rows, columns) => LocalRuntime.ResizeQuietlyAsync(this, id, rows, columns), LeaveAsync);
        }
        catch
        {
            await LeaveAsync();
            stop.ThrowIfCancellationRequested();
            throw;
        }

        async ValueTask LeaveAsync()
        {
            await staying.CancelAsync();
            await answers.DisposeAsync();
            staying.Dispose();
        }
    }

    public Task ResizeAsync(string id, int rows, int columns, CancellationToken stop) => CallAsync(
        RuntimeService.Resize, JsonSerializer.SerializeToUtf8Bytes(new ResizeRequest(id, rows, columns), RuntimeJson.Default.ResizeRequest), stop);

    /// <summary>
    /// What this process must hold so that the container outlives its shim: a duplicate of its terminal's master or of its stdin's writing end. One
    /// file at most; the enumeration ends when it is to be closed. The files are the caller's.
    /// </summary>
    internal async IAsyncEnumerable<SafeFileHandle> HoldInputAsync(string id, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var answer in shim.ExchangeAsync(RuntimeService.ServiceName, RuntimeService.HoldInput, new ShimMessage(Request(id, 0)), stop))
        {
            foreach (var file in answer.Files)
                yield return file;
        }
    }

    private async Task MarkInputFinalAsync(string id, int session)
    {
        try
        {
            await CallAsync(
                RuntimeService.MarkInputFinal, JsonSerializer.SerializeToUtf8Bytes(new SessionRequest(id, session), RuntimeJson.Default.SessionRequest),
                CancellationToken.None);
        }
        catch (RuntimeException)
        {
            // Without its shim there is no session whose input could end.
        }
    }
}
