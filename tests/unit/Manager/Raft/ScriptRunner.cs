using System.Globalization;
using System.Text;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Unit.Manager.Raft;

/// <summary>
/// Plays a script against voters of the core and writes the transcript. Lines: <c>voters N</c>; <c>campaign N</c>;
/// <c>tick N TIMES</c>; <c>propose N TEXT</c>; <c>persist N</c> (its writes complete); <c>deliver N</c> (everything on the wire to N);
/// <c>drop FROM TO</c>; <c>settle</c> (persist and deliver until quiet); <c>snapshot N</c>; <c>transfer N TO</c>; <c>state</c>.
/// <c>spare N</c> (one that joins); <c>members N 1,2,3 [learners 4]</c>. Below each line stands, after "> ", what it caused.
/// </summary>
internal sealed class ScriptRunner
{
    private readonly SortedDictionary<ulong, RaftCore> cores = [];
    private readonly Dictionary<ulong, Queue<(ulong Ticket, IReadOnlyList<Message> After)>> disks = [];
    private readonly List<Message> wire = [];
    private readonly StringBuilder transcript = new();

    internal static string Play(string script)
    {
        var runner = new ScriptRunner();
        foreach (var line in script.Split('\n').Where(l => l.Length > 0 && !l.StartsWith('>')))
        {
            runner.transcript.Append(line).Append('\n');
            if (!line.StartsWith('#'))
                runner.Obey(line.Split(' ', 3));
        }

        return runner.transcript.ToString();
    }

    private void Obey(string[] words)
    {
        var n = words.Length > 1 && ulong.TryParse(words[1], CultureInfo.InvariantCulture, out var number) ? number : 0;
        switch (words[0])
        {
            case "voters":
                PeerId[] ids = [.. Enumerable.Range(1, (int)n).Select(i => new PeerId((ulong)i))];
                foreach (var id in ids)
                {
                    cores[id.Value] = new(id, ids, new(), default, SnapshotMeta.None, [], 0, () => (int)id.Value);
                    disks[id.Value] = new();
                }

                break;
            case "spare":
                cores[n] = new(new(n), [], new(), default, SnapshotMeta.None, [], 0, () => (int)n);
                disks[n] = new();
                break;
            case "members":
                var lists = words[2].Split(" learners ");
                if (cores[n].ProposeMembership(Peers(lists[0]), lists.Length > 1 ? Peers(lists[1]) : []) is null)
                    Say($"{n} refuses the change");
                Carry(n);
                break;
            case "campaign":
                cores[n].CampaignNow();
                Carry(n);
                break;
            case "tick":
                for (var times = int.Parse(words[2], CultureInfo.InvariantCulture); times > 0; times--)
                {
                    cores[n].Tick();
                    Carry(n);
                }

                break;
            case "propose":
                if (cores[n].Propose(Encoding.UTF8.GetBytes(words[2])) is null)
                    Say($"{n} refuses the proposal");
                Carry(n);
                break;
            case "persist":
                Persist(n);
                break;
            case "deliver":
                Deliver(n);
                break;
            case "drop":
                var to = ulong.Parse(words[2], CultureInfo.InvariantCulture);
                Say($"{wire.RemoveAll(m => m.From.Value == n && m.To.Value == to)} lost");
                break;
            case "settle":
                Settle();
                break;
            case "snapshot":
                var log = cores[n].Log;
                cores[n].Compact(new(log.Applied, log.TermAt(log.Applied)!.Value, log.MembershipAt(log.Applied)), log.Applied);
                break;
            case "transfer":
                cores[n].TransferTo(new(ulong.Parse(words[2], CultureInfo.InvariantCulture)));
                Carry(n);
                break;
            case "state":
                foreach (var core in cores.Values)
                {
                    var members = core.Membership.Outgoing.IsEmpty && core.Membership.Learners.IsEmpty && core.Membership.Voters.Length == cores.Count ? "" : $" members {Members(core.Membership)}";
                    Say($"{core.Self} {core.Role} term {core.Term} leader {core.Leader} log {core.Log.First}..{core.Log.Last} commit {core.Log.Commit}{members}");
                }

                break;
            default:
                throw new FormatException($"the script says '{words[0]}'");
        }
    }

    private void Carry(ulong n)
    {
        var core = cores[n];
        while (core.HasReady)
        {
            var ready = core.TakeReady();
            if (ready.Ticket != 0)
                Say($"{n} writes term {ready.HardState!.Value.Term} vote {ready.HardState.Value.Vote}{(ready.Install is null ? "" : $" snapshot {ready.Install.Snapshot!.Index}")}{List(ready.Entries)}");
            Post(ready.Messages);
            if (ready.Ticket != 0 || core.IsWriting)
                disks[n].Enqueue((core.LastTicket, ready.AfterPersist));
            else
                Post(ready.AfterPersist);
            if (ready.Committed.Count > 0)
                Say($"{n} applies{List(ready.Committed)}");
        }
    }

    private void Persist(ulong n)
    {
        while (disks[n].TryDequeue(out var write))
        {
            cores[n].Persisted(write.Ticket);
            foreach (var own in write.After.Where(m => m.To.Value == n))
                cores[n].Step(own);
            Post([.. write.After.Where(m => m.To.Value != n)]);
            Carry(n);
        }
    }

    private void Deliver(ulong n)
    {
        foreach (var message in wire.FindAll(m => m.To.Value == n))
        {
            wire.Remove(message);
            cores[n].Step(message);
            Carry(n);
        }
    }

    private void Settle()
    {
        while (wire.Count > 0 || disks.Values.Any(d => d.Count > 0))
        {
            foreach (var n in cores.Keys)
            {
                Persist(n);
                Deliver(n);
            }
        }
    }

    private void Post(IReadOnlyList<Message> messages)
    {
        wire.AddRange(messages);
        foreach (var m in messages)
        {
            var log = m.Kind is MessageKind.Heartbeat or MessageKind.HeartbeatReply or MessageKind.PreVoteReply or MessageKind.VoteReply or MessageKind.TimeoutNow
                ? "" : $" at {m.LogIndex}{(m.LogTerm > 0 ? $"/{m.LogTerm}" : "")}";
            Say($"{m.From}->{m.To} {m.Kind} term {m.Term}{log}{(m.Reject ? " REJECT" : "")}"
                + $"{(m.Hint > 0 ? $" hint {m.Hint}/{m.HintTerm}" : "")}{(m.Commit > 0 ? $" commit {m.Commit}" : "")}"
                + $"{(m.Snapshot is { } s ? $" snapshot {s.Index}/{s.Term}" : "")}{List(m.Entries)}");
        }
    }

    private void Say(string what) => transcript.Append("> ").Append(what).Append('\n');

    private static List<PeerId> Peers(string text) => [.. text.Split(',').Select(p => new PeerId(ulong.Parse(p, CultureInfo.InvariantCulture)))];

    private static string Members(Membership m) =>
        string.Join(',', m.Voters) + (m.IsJoint ? $" from {string.Join(',', m.Outgoing)}" : "") + (m.Learners.IsEmpty ? "" : $" learners {string.Join(',', m.Learners)}");

    private static string Text(Entry e) => e.Kind switch
    {
        EntryKind.Empty => "-",
        EntryKind.Membership => Members(Membership.Decode(e.Data.Span)),
        _ => Encoding.UTF8.GetString(e.Data.Span),
    };

    private static string List(IReadOnlyList<Entry> entries) => string.Concat(
        entries.Select(e => $" [{e.Index}/{e.Term} {Text(e)}]"));
}
