using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Unit.Manager.Raft;

/// <summary>
/// Plays a script against voters of the core and writes the transcript. Lines: <c>voters N [OPTION VALUE …]</c>; <c>campaign N</c>;
/// <c>tick N TIMES</c>; <c>propose N TEXT</c>; <c>persist N</c> (its writes complete); <c>deliver N</c> (everything on the wire to N);
/// <c>drop FROM TO</c>; <c>settle</c> (persist and deliver until quiet); <c>snapshot N</c>; <c>transfer N TO</c>; <c>state</c>.
/// <c>read N</c>; <c>forget N</c> (its leader); <c>unreachable N PEER</c>; <c>restart N</c> (with what its disk has);
/// <c>cut N</c> (what is on the wire from and to N is lost from now on) and <c>heal N</c>;
/// <c>spare N</c> (one that joins); <c>members N 1,2,3 [learners 4]</c>. Below each line stands, after "> ", what it caused.
/// </summary>
internal sealed class ScriptRunner
{
    private readonly SortedDictionary<ulong, RaftCore> cores = [];
    private readonly Dictionary<ulong, ScriptDisk> disks = [];
    private RaftOptions options = new();
    private readonly List<Message> wire = [];
    private readonly HashSet<ulong> cut = [];
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
                options = words.Length > 2 ? Options(words[2]) : new();
                foreach (var id in ids)
                    Boot(id.Value, disks[id.Value] = new(ids));
                break;
            case "spare":
                Boot(n, disks[n] = new([]));
                break;
            case "cut":
                cut.Add(n);
                wire.RemoveAll(Lost);
                break;
            case "heal":
                cut.Remove(n);
                break;
            case "restart":
                disks[n].Crash();
                Boot(n, disks[n]);
                break;
            case "read":
                if (cores[n].AskRead() is { } read)
                    Say($"{n} asks for read {read}");
                else
                    Say($"{n} knows nobody to ask");
                Carry(n);
                break;
            case "forget":
                cores[n].ForgetLeader();
                Carry(n);
                break;
            case "unreachable":
                cores[n].ReportUnreachable(new(ulong.Parse(words[2], CultureInfo.InvariantCulture)));
                Carry(n);
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
                var meta = new SnapshotMeta(log.Applied, log.TermAt(log.Applied)!.Value, log.MembershipAt(log.Applied));
                disks[n].Save(meta);
                cores[n].Compact(meta, log.Applied);
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

    private void Boot(ulong n, ScriptDisk disk) => cores[n] = new(
        new(n), disk.Voters, options, disk.HardState, disk.Snapshot, disk.Entries, 0, () => (int)n);

    private void Carry(ulong n)
    {
        var core = cores[n];
        while (core.HasReady)
        {
            var ready = core.TakeReady();
            foreach (var (piece, reply) in ready.Staged)
            {
                Say($"{n} stages {piece.SnapshotData.Length} bytes from {piece.Offset} on of snapshot {piece.Snapshot!.Index}");
                if (reply is not null)
                    Post([reply]);
            }

            if (ready.Ticket != 0)
                Say($"{n} writes term {ready.HardState!.Value.Term} vote {ready.HardState.Value.Vote}{(ready.Install is null ? "" : $" snapshot {ready.Install.Index}")}{List(ready.Entries)}");
            Post([.. ready.Messages.Select(Fill)]);
            if (ready.Ticket != 0 || core.IsWriting)
                disks[n].Writes.Enqueue((core.LastTicket, ready));
            else
                Post(ready.AfterPersist);
            if (ready.Committed.Count > 0)
                Say($"{n} applies{List(ready.Committed)}");
            foreach (var (through, index) in ready.Reads)
                Say(index is null ? $"{n} gives up reads through {through}" : $"{n} may answer reads through {through} when it has applied {index}");
        }
    }

    private bool Lost(Message m) => cut.Contains(m.From.Value) || cut.Contains(m.To.Value);

    private Message Fill(Message m)
    {
        if (m.Snapshot is not { } meta)
            return m;
        var whole = Encoding.UTF8.GetBytes($"the state at {meta.Index}");
        var piece = whole.AsMemory((int)m.Offset, Math.Min(options.PieceBytes, whole.Length - (int)m.Offset));
        var last = m.Offset + piece.Length == whole.Length;
        return m with { Length = whole.Length, SnapshotData = piece, Digest = last ? SHA256.HashData(whole) : default(ReadOnlyMemory<byte>) };
    }

    private void Persist(ulong n)
    {
        while (disks[n].Complete() is { } write)
        {
            cores[n].Persisted(write.Ticket);
            foreach (var own in write.Ready.AfterPersist.Where(m => m.To.Value == n))
                cores[n].Step(own);
            Post([.. write.Ready.AfterPersist.Where(m => m.To.Value != n)]);
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
        while (wire.Count > 0 || disks.Values.Any(d => d.Writes.Count > 0))
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
        wire.AddRange(messages.Where(m => !Lost(m)));
        foreach (var m in messages)
        {
            var log = m.Kind is MessageKind.Heartbeat or MessageKind.HeartbeatReply or MessageKind.PreVoteReply or MessageKind.VoteReply or MessageKind.TimeoutNow or MessageKind.ReadIndex
                ? "" : $" at {m.LogIndex}{(m.LogTerm > 0 ? $"/{m.LogTerm}" : "")}";
            Say($"{m.From}->{m.To} {m.Kind} term {m.Term}{log}{(m.Reject ? " REJECT" : "")}"
                + $"{(m.Hint > 0 ? $" hint {m.Hint}/{m.HintTerm}" : "")}{(m.Commit > 0 ? $" commit {m.Commit}" : "")}"
                + $"{(m.Context > 0 ? $" read {m.Context}" : "")}{(m.Silent.IsEmpty ? "" : $" silent {string.Join(',', m.Silent)}")}"
                + $"{(m.Kind == MessageKind.SnapshotReply ? $" holds {m.Offset} of {m.Length}" : "")}"
                + $"{(m.Snapshot is { } s ? $" snapshot {s.Index}/{s.Term} from {m.Offset} of {m.Length}" : "")}{List(m.Entries)}");
        }
    }

    private void Say(string what) => transcript.Append("> ").Append(what).Append('\n');

    private static RaftOptions Options(string text)
    {
        var values = text.Split(' ').Chunk(2).ToDictionary(w => w[0], w => int.Parse(w[1], CultureInfo.InvariantCulture));
        var defaults = new RaftOptions();
        return new()
        {
            MaxInflight = values.Remove("inflight", out var inflight) ? inflight : defaults.MaxInflight,
            MaxAppendBytes = values.Remove("append", out var append) ? append : defaults.MaxAppendBytes,
            PieceBytes = values.Remove("piece", out var piece) ? piece : defaults.PieceBytes,
            MaxPieces = values.Remove("pieces", out var pieces) ? pieces : defaults.MaxPieces,
            ElectionTicks = values.Count == 0 ? defaults.ElectionTicks : throw new FormatException($"the script names an option {values.Keys.First()}"),
        };
    }

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
