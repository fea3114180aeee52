using System.Collections.Immutable;

namespace Orchestrator.Tests.Unit.Architecture;

/// <summary>ARCHITECTURE.md, "Who may know whom", held against the compiled assemblies.</summary>
public sealed class RoomTests
{
    private static readonly ImmutableArray<Mention> Manager = CompiledReferences.Of("Orchestrator.Manager");
    private static readonly ImmutableArray<Mention> Worker = CompiledReferences.Of("Orchestrator.Worker");
    private static readonly ImmutableArray<Mention> Shared = CompiledReferences.Of("Orchestrator.Shared");

    [Theory]
    [InlineData("Orchestrator.Worker.Linux")]
    [InlineData("Orchestrator.Worker.Runtime", "Orchestrator.Worker.Linux", "Orchestrator.Worker.Shim")]
    [InlineData("Orchestrator.Worker.Shim", "Orchestrator.Worker.Linux")]
    [InlineData("Orchestrator.Worker.Network", "Orchestrator.Worker.Linux", "Orchestrator.Worker.Shim")]
    [InlineData("Orchestrator.Worker.Images", "Orchestrator.Worker.Linux")]
    [InlineData("Orchestrator.Worker.Volumes", "Orchestrator.Worker.Linux")]
    [InlineData("Orchestrator.Worker.Lab", "Orchestrator.Worker.Linux", "Orchestrator.Worker.Runtime")]
    [InlineData("Orchestrator.Worker.Agent", "Orchestrator.Worker.Containers", "Orchestrator.Worker.Network", "Orchestrator.Worker.Images", "Orchestrator.Worker.Events")]
    public void A_worker_room_knows_only(string room, params string[] known) => Knows(Worker, "Orchestrator.Worker", room, known);

    [Theory]
    [InlineData("Orchestrator.Manager.Raft")]
    [InlineData("Orchestrator.Manager.State", "Orchestrator.Manager.Raft")]
    [InlineData("Orchestrator.Manager.Orchestration", "Orchestrator.Manager.State")]
    [InlineData("Orchestrator.Manager.Allocation", "Orchestrator.Manager.State")]
    [InlineData("Orchestrator.Manager.Scheduling", "Orchestrator.Manager.State")]
    [InlineData("Orchestrator.Manager.Dispatch", "Orchestrator.Manager.State")]
    [InlineData("Orchestrator.Manager.Api", "Orchestrator.Manager.State")]
    [InlineData("Orchestrator.Manager.Roles", "Orchestrator.Manager.State")]
    public void A_manager_room_knows_only(string room, params string[] known) => Knows(Manager, "Orchestrator.Manager", room, known);

    [Fact]
    public void Raft_core_knows_nobody_and_touches_no_clock_disk_socket_or_logger()
    {
        string[] forbidden =
        [
            "Orchestrator.Shared", "Orchestrator.Manager.State", "Orchestrator.Manager.Raft.Node", "Orchestrator.Manager.Raft.Storage",
            "Orchestrator.Manager.Raft.Transport", "System.Threading.Tasks", "System.IO", "System.Net", "Microsoft.Extensions",
        ];
        var core = Manager.Where(m => m.In("Orchestrator.Manager.Raft.Core")).ToArray();
        Assert.NotEmpty(core);
        Assert.DoesNotContain(core, m => forbidden.Any(m.Of));
        Assert.DoesNotContain(core, m => m.To is "System.TimeProvider" or "System.Random" or "System.Security.Cryptography.RandomNumberGenerator");
    }

    [Fact]
    public void Plans_are_values_to_values()
    {
        string[] forbidden = ["System.Threading", "System.IO", "System.Net.Sockets", "Microsoft.Extensions.Logging", "Orchestrator.Worker.Linux"];
        var plans = Manager.Concat(Worker).Where(m => IsPlan(m.From)).ToArray();
        Assert.NotEmpty(plans);
        // String hashing, interpolation and exceptions live in System.IO and System.Threading here and there: only what can act is named.
        Assert.Equal("", string.Join("\n", plans.Where(m => forbidden.Any(m.Of) && CanAct(m.To)).Select(m => $"{m.From} -> {m.To}")));
        Assert.Empty(plans.Where(m => m.To is "System.TimeProvider").Select(m => m.From));
    }

    [Fact]
    public void Native_imports_stand_in_the_Linux_room_only() =>
        Assert.Empty(Manager.Concat(Shared).Concat(Worker.Where(m => !m.In("Orchestrator.Worker.Linux")))
            .Where(m => m.To == "(native import)").Select(m => m.From).Distinct());

    [Theory]
    [InlineData("System.Threading.Tasks.Task::Run")]
    [InlineData("System.Threading.Tasks.Task::ConfigureAwait(bool)")]
    [InlineData("System.Threading.Tasks.Task`1::ConfigureAwait(bool)")]
    [InlineData("System.Threading.Tasks.ValueTask::ConfigureAwait(bool)")]
    public void Loops_that_a_seed_replays_never_leave_their_context(string member) =>
        Assert.Empty(Manager.Concat(Worker.Where(m => m.In("Orchestrator.Worker.Agent"))).Where(m => m.To == member).Select(m => m.From));

    private static bool IsPlan(string type) => type.Contains(".Plan.", StringComparison.Ordinal) || type.Split('`')[0].EndsWith("Plan", StringComparison.Ordinal);

    private static bool CanAct(string name) =>
        !name.StartsWith("System.IO.Path", StringComparison.Ordinal) && !name.StartsWith("System.IO.IOException", StringComparison.Ordinal)
        && !name.StartsWith("System.IO.InvalidDataException", StringComparison.Ordinal)
        && !name.StartsWith("System.Threading.Interlocked", StringComparison.Ordinal);

    private static void Knows(ImmutableArray<Mention> mentions, string project, string room, string[] known)
    {
        Assert.Contains(mentions, m => m.In(room));
        Assert.Empty(mentions
            .Where(m => m.In(room) && m.Of(project) && !m.Of(room) && !known.Any(m.Of))
            .Select(m => $"{m.From} -> {m.To}").Distinct().Order());
    }
}
