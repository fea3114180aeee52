using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>Asks whichever manager leads: those known in turn, and the one that a refusal names next.</summary>
/// <param name="managers">Those known now; asked at each round.</param>
/// <param name="dial">Reaches one by its address; null when it makes no sense.</param>
public sealed class ControlCaller(Func<IReadOnlyList<ManagerPeer>> managers, Func<string, IControl?> dial, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <param name="call">The question; it may be put several times.</param>
    /// <param name="patience">How long to go on asking while nobody leads.</param>
    /// <exception cref="RpcException">The leader's refusal, or <c>Unavailable</c> with what the last one asked said.</exception>
    public async Task<T> CallAsync<T>(Func<IControl, CancellationToken, Task<T>> call, TimeSpan patience, CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var last = new RpcException(RpcStatus.Unavailable, "no manager is known to this node");
        while (true)
        {
            var waiting = new Queue<string>(managers().Select(m => m.Address).Where(a => a.Length > 0));
            var asked = new HashSet<string>(StringComparer.Ordinal);
            while (waiting.TryDequeue(out var address))
            {
                if (!asked.Add(address) || dial(address) is not { } control)
                    continue;
                try
                {
                    return await call(control, stop);
                }
                catch (RpcException failure) when (failure.Status is RpcStatus.Unavailable or RpcStatus.DeadlineExceeded or RpcStatus.Aborted or RpcStatus.Cancelled)
                {
                    last = failure;
                    if (failure.Trailers[ControlRpc.LeaderTrailer] is { Length: > 0 } leader && !asked.Contains(leader))
                        waiting = new([leader, .. waiting]);
                }
            }

            if (time.GetElapsedTime(began) + Pause > patience)
                throw last;
            await Task.Delay(Pause, time, stop);
        }
    }
}
