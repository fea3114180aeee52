using System.Globalization;
using System.Runtime.CompilerServices;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>
/// The dispatcher of whichever manager leads. A session is looked for at all known managers: a refusal's hint is followed, a silent manager
/// is not waited for alone, and what the session tells of the managers is remembered. Heartbeats and reports go where the session is.
/// </summary>
/// <remarks>For one agent: one session at a time. Without <c>ConfigureAwait(false)</c>, so that a simulation can replay it.</remarks>
public sealed class ClusterDispatcher(ClusterDispatcherOptions options) : IDispatcher, IDisposable
{
    private readonly Dictionary<string, DispatcherLink> links = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<ManagerPeer> managers = options.Managers;
    private volatile AskedManager? current;
    private string? lost;

    /// <summary>The managers as last told.</summary>
    public IReadOnlyList<ManagerPeer> Managers => managers;

    /// <summary>The manager that holds the session; null: none does.</summary>
    public ManagerPeer? Leader => current?.Peer;

    /// <summary>Others told of the managers, for example the reply to a join.</summary>
    public void Learn(IReadOnlyList<ManagerPeer> known) => managers = known.Count > 0 ? known : managers;

    public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var found = await FindAsync(options.Complete(request), stop);
        lost = found.Peer.Address; // whatever ends the session: this one is asked last
        current = found;
        try
        {
            do
            {
                var message = found.Messages.Current;
                if (message.Managers is { Count: > 0 } told)
                    managers = told;
                options.Heard(message);
                yield return message;
            }
            while (await found.Messages.MoveNextAsync());
        }
        finally
        {
            current = null;
            await found.DisposeAsync();
            Forget([found], kept: null);
        }
    }

    public async Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop)
    {
        var session = Current();
        try
        {
            return await session.CallAsync((manager, ends) => manager.HeartbeatAsync(request, ends), stop);
        }
        catch (RpcException failure) when (failure.Status is RpcStatus.DeadlineExceeded or RpcStatus.Unavailable)
        {
            session.IsDead = true;
            throw;
        }
    }

    public Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop) =>
        Current().CallAsync((manager, ends) => manager.ReportAsync(report, ends), stop);

    public void Dispose()
    {
        foreach (var link in links.Values)
            link.Channel?.Dispose();
        links.Clear();
    }

    private AskedManager Current() => current ?? throw new RpcException(RpcStatus.Unavailable, "no manager holds a session of this node");

    /// <summary>Asks managers until one sends its first message.</summary>
    private async Task<AskedManager> FindAsync(SessionRequest request, CancellationToken stop)
    {
        var began = options.Time.GetTimestamp();
        var order = new DialOrder(managers, lost, options.Hedge, options.Again, options.Jitter);
        var reasons = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var silences = new Dictionary<string, int>(StringComparer.Ordinal);
        var asked = new List<AskedManager>();
        AskedManager? found = null;
        try
        {
            while (true)
            {
                stop.ThrowIfCancellationRequested();
                var now = Now();
                if (now >= options.Patience)
                    throw None(asked, reasons);
                while (order.Take(now) is { } peer)
                {
                    if (Link(peer) is { } link)
                        asked.Add(new(peer, link, request, now + options.Silence.Delay(1 + silences.GetValueOrDefault(peer.Address), 0), stop));
                    else
                        Refuse(peer, $"{peer.Address} is no address", leader: null);
                }

                await AnyAsync(asked, Earlier(order.Next, asked.Select(s => s.Until).Append(options.Patience).Min()) - now, stop);
                await LeaveSilentAsync();
                foreach (var done in asked.Where(s => s.First.IsCompleted).ToList())
                {
                    asked.Remove(done);
                    if (await done.EndAsync() is not { } failure)
                        return found = done;
                    await done.DisposeAsync();
                    if (failure.Status is RpcStatus.NotFound or RpcStatus.PermissionDenied or RpcStatus.Unauthenticated or RpcStatus.InvalidArgument)
                        throw failure;
                    Refuse(done.Peer, failure.Detail, failure.Trailers[DispatcherRpc.LeaderTrailer]);
                }
            }
        }
        finally
        {
            foreach (var left in asked)
            {
                left.IsDead = found is null;
                await left.DisposeAsync();
            }

            Forget(asked, found);
        }

        // Not by the wall clock, which may be set back meanwhile.
        TimeSpan Now() => options.Time.GetElapsedTime(began);

        // A connection into which packets vanish does not come back soon: another one is tried.
        async Task LeaveSilentAsync()
        {
            var now = Now();
            foreach (var silent in asked.Where(s => !s.First.IsCompleted && s.Until <= now).ToList())
            {
                asked.Remove(silent);
                silent.IsDead = true;
                silences[silent.Peer.Address] = silences.GetValueOrDefault(silent.Peer.Address) + 1;
                await silent.DisposeAsync();
                Drop(silent.Peer.Address);
                Refuse(silent.Peer, "no answer", leader: null);
            }
        }

        void Refuse(ManagerPeer peer, string reason, string? leader)
        {
            reasons[peer.Address] = reason;
            order.Refused(peer, leader, Now());
        }
    }

    private static RpcException None(List<AskedManager> silent, SortedDictionary<string, string> reasons)
    {
        foreach (var search in silent)
            reasons[search.Peer.Address] = "no answer";
        return new(RpcStatus.Unavailable, reasons.Count == 0
            ? "no manager is known to this node"
            : $"no manager takes this node's session: {string.Join("; ", reasons.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Key}: {r.Value}")))}");
    }

    /// <summary>Completes with the first of them, or after so long.</summary>
    private async Task AnyAsync(List<AskedManager> asked, TimeSpan most, CancellationToken stop)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var wait = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(most.TotalMilliseconds))); // a delay counts whole milliseconds: rounded down it would spin
        var clock = Task.Delay(wait, options.Time, ends.Token);
        await Task.WhenAny([clock, .. asked.Select(s => s.First)]);
        ends.Cancel();
    }

    private static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a is { } at && at < b ? at : b;

    private DispatcherLink? Link(ManagerPeer peer)
    {
        if (!links.TryGetValue(peer.Address, out var link) && options.Dial(peer) is { } dialled)
            links[peer.Address] = link = dialled;
        return link;
    }

    /// <summary>Takes down the connections of who is no manager any more, or was found dead: the next try begins with a new one.</summary>
    private void Forget(IEnumerable<AskedManager> searches, AskedManager? kept)
    {
        var dead = searches.Where(s => s.IsDead).Select(s => s.Peer.Address).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in links.Keys.Where(a => a != kept?.Peer.Address && (dead.Contains(a) || !managers.Any(m => m.Address == a))).ToList())
            Drop(gone);
    }

    private void Drop(string address)
    {
        if (links.Remove(address, out var link))
            link.Channel?.Dispose();
    }
}
