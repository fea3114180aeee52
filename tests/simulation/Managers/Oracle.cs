using System.Globalization;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>
/// Sees what every manager writes, sends and applies, applies every committed entry once itself, and throws when Raft's promises
/// (paper, figure 3) or the clients' (linearizability) are broken.
/// </summary>
/// <param name="clock">The world's, for the transcript.</param>
internal sealed class Oracle(IReadOnlyList<SimulatedManager> managers, Func<long> clock)
{
    private readonly Dictionary<ulong, PeerId> leaders = [];
    private readonly Dictionary<(ulong Index, ulong Term), (ulong PreviousTerm, ReadOnlyMemory<byte> Data)> entries = [];
    private readonly Dictionary<ulong, ulong> committed = [];
    private readonly Dictionary<ulong, ClusterState> states = [];
    private readonly Dictionary<string, (Outcome? First, int Effects)> requests = new(StringComparer.Ordinal);
    private readonly List<Membership> memberships = [];

    /// <summary>What the committed entries make: the reference of all others.</summary>
    internal ClusterState State { get; private set; } = ClusterState.Empty;

    internal int Terms => leaders.Count;

    internal ulong Committed { get; private set; }

    /// <summary>The newest leader that said so.</summary>
    internal PeerId Leader { get; private set; }

    /// <summary>A hash of everything that was sent, applied and answered, and when: equal when a run was replayed exactly.</summary>
    internal ulong Transcript { get; private set; } = 14695981039346656037;

    /// <summary>Writes something into the transcript.</summary>
    internal void Note(string what)
    {
        foreach (var letter in what)
            Mix(letter);
        Mix((ulong)clock());
        if (Trace is { } trace)
            trace.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock() / 10_000.0 % 10_000_000:F3} {what}"));
    }

    /// <summary>Where every event is told, to look at one run; null: nowhere.</summary>
    internal static TextWriter? Trace { get; } = Environment.GetEnvironmentVariable("SIM_TRACE") is { } path ? new StreamWriter(path) { AutoFlush = true } : null;

    private void Mix(ulong value) => Transcript = (Transcript ^ value) * 1099511628211;

    internal void Begin(Membership first) => memberships.Add(first);

    /// <summary>Election safety, by what leaders say.</summary>
    internal void Sent(Message message)
    {
        Mix((ulong)clock());
        Mix(((ulong)message.Kind << 56) ^ message.From.Value ^ (message.To.Value << 1) ^ message.Term ^ (message.LogIndex << 8) ^ (message.Commit << 24) ^ ((ulong)message.Entries.Count << 40));
        if (Trace is not null && message.Kind is not (MessageKind.Heartbeat or MessageKind.HeartbeatReply))
            Note($"{Name(message.From)} to {Name(message.To)}: {message.Kind} term {message.Term} log {message.LogIndex}/{message.LogTerm} commit {message.Commit} entries {message.Entries.Count} reject {message.Reject} hint {message.Hint}/{message.HintTerm}");
        if (message.Kind is MessageKind.Append or MessageKind.Heartbeat or MessageKind.Snapshot)
            Leads(message.From, message.Term);
    }

    /// <summary>Log matching by induction, and no write over a committed entry.</summary>
    internal void Asked(SimulatedManager manager, JournalWrite write)
    {
        var previous = write.Entries is [var first, ..] ? TermAt(manager, first.Index - 1) : null;
        for (var i = write.Entries is [var begin, ..] ? begin.Index : 0; manager.Log.Remove(i, out var gone); i++)
        {
            var again = i - write.Entries[0].Index;
            if (committed.TryGetValue(i, out var term) && term == gone.Term && (again >= (ulong)write.Entries.Count || write.Entries[(int)again].Term != term))
                throw Broken($"{manager.Node} takes the committed entry {i} of term {term} out of its log");
        }

        foreach (var entry in write.Entries)
        {
            manager.Log[entry.Index] = entry;
            if (previous is { } before)
            {
                var seen = (before, entry.Data);
                if (!entries.TryAdd((entry.Index, entry.Term), seen) && entries[(entry.Index, entry.Term)] is { } other
                    && (other.PreviousTerm != before || !other.Data.Span.SequenceEqual(entry.Data.Span)))
                    throw Broken($"two different entries {entry.Index} of term {entry.Term}, the second on {manager.Node}");
            }

            if (entry.Kind == EntryKind.Membership)
                Became(Membership.Decode(entry.Data.Span));
            previous = entry.Term;
        }
    }

    private void Became(Membership next)
    {
        memberships.Add(next);
        foreach (var twice in managers.Where(m => next.Electors.Count(m.Is) > 1))
            throw Broken($"{twice.Node} votes under two numbers");
    }

    internal void Installed(SimulatedManager manager, SnapshotMeta meta)
    {
        manager.Log.Clear();
        while (Committed < meta.Index && managers.FirstOrDefault(m => m.Log.TryGetValue(meta.Index, out var last) && last.Term == meta.Term) is { } holder)
            ApplyNext(holder, meta.Index);
        if (meta.Index > Committed || committed[meta.Index] != meta.Term)
            throw Broken($"{manager.Node} gets a snapshot {meta.Index} of term {meta.Term}, which was not committed");
    }

    /// <summary>After every step of the world.</summary>
    internal void Check()
    {
        foreach (var manager in managers)
        {
            if (manager.Life is not { } life)
                continue;
            var state = life.Host.Cluster.Current;
            if (!ReferenceEquals(state, life.Seen))
            {
                Moved(manager, life.Seen, state);
                life.Seen = state;
            }

            if (life.Host.Raft.Current is { IsLeader: true } status)
                Leads(manager, life, status.Term);
            if (life.Host.Failed.IsFaulted && !manager.Disk.Fails)
                throw Broken($"{manager.Node} stopped by itself: {life.Host.Failed.Exception!.InnerException!}");
            if (life.Asking.IsFaulted)
                throw Broken($"{manager.Node} asks no more to be taken in: {life.Asking.Exception!.InnerException!}");
            if (life.Starting.IsFaulted && !manager.Disk.Fails)
                throw Broken($"{manager.Node} did not start: {life.Starting.Exception!.InnerException!}");
        }
    }

    /// <summary>A client was answered: the log's first entry with its id says the same, and it came after everything that was answered before it began.</summary>
    internal void Answered(string request, Outcome outcome, ulong floor)
    {
        if (!requests.TryGetValue(request, out var known) || known.First is not { } first)
            throw Broken($"request {request} was answered and is not in the log");
        if (first.Index != outcome.Index || first.Refusal?.Kind != outcome.Refusal?.Kind)
            throw Broken($"request {request} was answered \"{Text(outcome)}\", its first entry came to \"{Text(first)}\"");
        if (outcome.Index <= floor)
            throw Broken($"request {request} took effect at {outcome.Index}, but {floor} had been answered before it began");
        Note("answered " + request);
        Answers++;
    }

    internal void Read(ulong index, ulong floor)
    {
        if (index < floor)
            throw Broken($"a read saw the state at {index}, but {floor} had been answered before it began");
        Mix(index);
        Reads++;
    }

    internal int Answers { get; private set; }

    internal int Reads { get; private set; }

    /// <summary>The whole content, at the end.</summary>
    internal string Digest => digest is { } known && ReferenceEquals(known.Of, State) ? known.Text : (digest = (State, StateSnapshot.Digest(State))).Value.Text;

    private (ClusterState Of, string Text)? digest;

    /// <summary>What reached an agent came from a manager that leads, or did until now.</summary>
    internal void Assigned(SimulatedManager manager, Life life)
    {
        if (!life.Host.Raft.Current.IsLeader && clock() - life.LedAt > TimeSpan.TicksPerSecond / 10)
            throw Broken($"{manager.Node} assigns tasks and does not lead");
    }

    /// <summary>It leads, says itself; a leader that was replaced has to notice soon (thesis, section 6.2).</summary>
    private void Leads(SimulatedManager manager, Life life, ulong term)
    {
        life.LedAt = clock();
        Leads(manager.Peer, term);
        if (term < highest && !life.Machine.IsPaused && clock() - Math.Max(highestSince, life.Machine.ResumedAt) > MostOutdated)
            throw Broken($"{manager.Node} still leads in term {term}, long after {Name(Leader)} began to in term {highest}");
    }

    private static readonly long MostOutdated = TimeSpan.FromSeconds(4).Ticks;

    private void Leads(PeerId peer, ulong term)
    {
        if (!leaders.TryAdd(term, peer) && leaders[term] != peer)
            throw Broken($"two leaders in term {term}: {Name(leaders[term])} and {Name(peer)}");
        if (term > highest)
            (highest, highestSince, Leader) = (term, clock(), peer);
    }

    private ulong highest;
    private long highestSince;

    private void Moved(SimulatedManager manager, ClusterState before, ClusterState now)
    {
        Mix(now.Index ^ manager.Peer.Value);
        if (now.Index < before.Index)
            throw Broken($"the state of {manager.Node} went back from {before.Index} to {now.Index}");
        while (State.Index < now.Index)
            ApplyNext(manager, now.Index);
        if (!states.TryGetValue(now.Index, out var reference))
            throw Broken($"{manager.Node} has a state {now.Index} that no committed command made");
        if (Difference(reference, now) is { } difference)
            throw Broken($"{manager.Node} at {now.Index}: {difference}");
    }

    private void ApplyNext(SimulatedManager manager, ulong through)
    {
        var index = Committed + 1;
        if (index > through)
            throw Broken($"{manager.Node} applied {through}, which is no command");
        if (!manager.Log.TryGetValue(index, out var entry))
        {
            throw Broken($"{manager.Node} applied through {through}, but has not written {index}, nor has anybody else applied it");
        }

        if (!memberships.Any(m => m.HasQuorum(p => managers.Any(o => o.DiskOf(p)?.Holds(index, entry.Term) ?? false))))
            throw Broken($"{manager.Node} applied entry {index} of term {entry.Term}, which is not on the disks of a majority: " + string.Join(", ", managers.Where(m => m.Disk.Holds(index, entry.Term)).Select(m => m.Node)));
        Committed = index;
        committed.Add(index, entry.Term);
        if (entry.Kind != EntryKind.Command)
            return;
        var (_, command) = EntryCodec.Read(entry.Data.Span);
        var applied = Applying.Run(State, index, command);
        State = applied.State;
        states.Add(index, State);
        if (command.RequestId is not { } request)
            return;
        var effects = applied.Changes.IsEmpty ? 0 : 1;
        if (requests.TryGetValue(request, out var known))
            effects += known.Effects;
        requests[request] = (known.First ?? applied.Outcome, effects);
        if (effects > 1)
            throw Broken($"request {request} was applied twice, the second time by entry {index}");
    }

    /// <summary>What differs, by keys and versions: an object that is put gets the entry's index. Null: nothing.</summary>
    private static string? Difference(ClusterState a, ClusterState b)
    {
        if (ReferenceEquals(a, b))
            return null;
        return Pairs(a.Nodes, b.Nodes, n => n.Version.Index) ?? Pairs(a.Services, b.Services, s => s.Version.Index)
            ?? Pairs(a.Tasks, b.Tasks, t => t.Version.Index) ?? Pairs(a.Networks, b.Networks, n => n.Version?.Index ?? 0)
            ?? Pairs(a.LeavingNetworks, b.LeavingNetworks, n => n.Version?.Index ?? 0) ?? Pairs(a.Secrets, b.Secrets, s => s.Version.Index)
            ?? Pairs(a.Configs, b.Configs, c => c.Version.Index)
            ?? (a.Requests.Outcomes.Count != b.Requests.Outcomes.Count ? "other request ids" : a.Swarm?.Version.Index != b.Swarm?.Version.Index ? "another swarm" : null)
            ?? (a.Index % 64 == 0 && StateSnapshot.Digest(a) != StateSnapshot.Digest(b) ? "another content" : null);
    }

    private static string? Pairs<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> a, IReadOnlyDictionary<TKey, TValue> b, Func<TValue, ulong> version)
        where TKey : notnull
    {
        if (a.Count != b.Count)
            return $"{b.Count} instead of {a.Count} {typeof(TValue).Name}s";
        using var other = b.GetEnumerator();
        foreach (var (key, value) in a)
        {
            other.MoveNext();
            if (!other.Current.Key.Equals(key) || version(other.Current.Value) != version(value))
                return string.Create(CultureInfo.InvariantCulture, $"{typeof(TValue).Name} {other.Current.Key} of {version(other.Current.Value)} instead of {key} of {version(value)}");
        }

        return null;
    }

    private ulong? TermAt(SimulatedManager manager, ulong index) =>
        index == 0 ? 0 : manager.Log.TryGetValue(index, out var entry) ? entry.Term : committed.TryGetValue(index, out var term) ? term : null;

    private string Name(PeerId peer) => managers.FirstOrDefault(m => m.Is(peer))?.Node.Value ?? peer.ToString();

    private static string Text(Outcome outcome) => $"{outcome.Index} {outcome.Refusal?.Kind}";

    private static InvalidOperationException Broken(string what) => new(what);
}
