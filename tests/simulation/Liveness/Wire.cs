using System.Runtime.CompilerServices;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Liveness;

/// <summary>One node's connection to one manager. While it is cut nothing arrives and nothing is refused: calls wait, as with lost packets.</summary>
internal sealed class Wire(IDispatcher manager, Func<bool> isCut, VirtualTime time, Dice dice) : IDispatcher, IDisposable
{
    private readonly CancellationTokenSource gone = new();

    public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        await CrossAsync(stop);
        await foreach (var message in manager.SessionAsync(request, stop))
        {
            await CrossAsync(stop);
            yield return message;
        }

        await CrossAsync(stop);
    }

    public Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop) =>
        CallAsync(ends => manager.HeartbeatAsync(request, ends), TimeSpan.FromSeconds(2), stop);

    public Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop) =>
        CallAsync(ends => manager.ReportAsync(report, ends), TimeSpan.FromSeconds(30), stop);

    public void Dispose() => gone.Cancel();

    private async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, TimeSpan most, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(most, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token, gone.Token);
        try
        {
            await CrossAsync(ends.Token);
            var reply = await call(ends.Token);
            await CrossAsync(ends.Token);
            return reply;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RpcException(limit.IsCancellationRequested ? RpcStatus.DeadlineExceeded : RpcStatus.Unavailable, "no answer");
        }
    }

    private async Task CrossAsync(CancellationToken stop)
    {
        await Task.Delay(TimeSpan.FromMicroseconds(100 + dice.Below(2000)), time, stop);
        if (!isCut())
            return;

        // What was sent into a cut is lost with its connection: only another try gets through.
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop);
    }
}
