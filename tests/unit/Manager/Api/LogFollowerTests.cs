using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Api;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class LogFollowerTests
{
    private static readonly ServiceTask Task1 = Cluster.Task("t1", Cluster.Service("s1", "web"), 1);

    private static LogRecord At(int second, string text) =>
        new() { Time = DateTimeOffset.UnixEpoch.AddSeconds(second), Stream = "stdout", Line = Encoding.UTF8.GetBytes(text) };

    [Fact]
    public async Task A_node_that_is_silent_for_a_while_is_named_once_and_its_lines_go_on_where_they_ended()
    {
        var logs = new Script(
            new(null, [At(1, "one"), At(2, "two"), At(2, "two, too")], new NodeSilentException("node host3 is not available")),
            new(2, [At(2, "two")], new NodeSilentException("node host3 is not available")),
            new(2, [], new NodeSilentException("node host3 is not available")),
            new(2, [At(2, "two"), At(2, "two, too"), At(2, "two again"), At(3, "three")], null));
        Assert.Equal(["one", "two", "two, too", Warning("node host3 is not available"), "two again", "three"], await ReadAsync(logs, lines: 6));
        Assert.Equal(4, logs.Asked);
    }

    [Fact]
    public async Task A_log_that_is_not_kept_is_named_and_not_asked_for_again()
    {
        var logs = new Script(new Act(null, [], new InvalidOperationException("the log driver none keeps nothing")));
        Assert.Equal([Warning("the log driver none keeps nothing")], await ReadAsync(logs, lines: 1));
        Assert.Equal(1, logs.Asked);
    }

    private static string Warning(string why) =>
        $"[orch: warning: incomplete log stream. some logs could not be retrieved for the following reasons: task web.1.t1: {why}]";

    private static async Task<List<string>> ReadAsync(ITaskLogs logs, int lines)
    {
        var node = new FakeNode { Current = Cluster.State(tasks: [Task1]) };
        node.Current = node.Current with { Nodes = node.Current.Nodes.Add(new("self"), new() { Id = new("self") }) };
        var follower = new LogFollower(node, logs, _ => true, new() { Follow = true }, new Hasty(), NullLogger.Instance);
        using var enough = new CancellationTokenSource();
        var got = new List<string>();
        await foreach (var line in follower.ReadAsync(enough.Token))
        {
            got.Add(Encoding.UTF8.GetString(line.Record.Line.Span).TrimEnd('\n'));
            if (got.Count == lines)
                break;
        }

        return got;
    }

    /// <summary>What one question meets.</summary>
    /// <param name="Since">Second from which it asks; null: from the beginning.</param>
    /// <param name="Records">What it gets.</param>
    /// <param name="End">How it breaks off; null: it goes on in silence.</param>
    private sealed record Act(int? Since, LogRecord[] Records, Exception? End);

    private sealed class Script(params Act[] acts) : ITaskLogs
    {
        internal int Asked { get; private set; }

        public async IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
        {
            var act = acts[Asked++];
            Assert.Equal(act.Since is { } second ? DateTimeOffset.UnixEpoch.AddSeconds(second) : null, query.Since);
            foreach (var record in act.Records)
                yield return record;
            if (act.End is { } end)
                throw end;
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }
    }

    /// <summary>A thousand times as fast.</summary>
    private sealed class Hasty : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime / 1000, period);
    }
}
