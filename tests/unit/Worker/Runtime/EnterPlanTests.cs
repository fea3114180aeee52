using System.Collections.Immutable;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class EnterPlanTests
{
    private static readonly HostFacts Host = new()
    {
        Kernel = new Version(6, 1),
        Cgroups = new CgroupLayout([], null, [], false),
        Bounding = ulong.MaxValue >> 23,
        Permitted = ulong.MaxValue >> 23,
        Known = ulong.MaxValue >> 23,
        HardLimits = [.. Enumerable.Repeat(ulong.MaxValue, 16)],
        OomScoreAdj = 0,
    };

    private static ImmutableArray<LaunchStep> Plan(OciProcess process, Traits? traits = null, params string[] groups) => EnterPlan.For(
        "c", new ExecLaunch { ExecId = "e", Process = process }, Host, groups, traits ?? new Traits { Filter = new SeccompFilter([6], 0) }, ImmutableArray.CreateBuilder<string>());

    private static OciProcess Process(bool terminal = false) => new() { Args = ["true"], Terminal = terminal };

    [Fact]
    public void Groups_are_joined_before_the_namespaces_and_descriptors_are_closed_before_the_program()
    {
        var steps = Plan(Process(), null, "/cg/cpu/c", "/cg/memory/c");
        var calls = steps.Select(s => s.Call).ToList();
        Assert.Equal(["join cgroup /cg/cpu/c", "join cgroup /cg/memory/c", "enter the container's namespaces", "setsid"], steps.Take(4).Select(s => s.Name));
        Assert.True(calls.IndexOf(CallNumber.close_range) < calls.IndexOf(CallNumber.execve));
        Assert.True(calls.LastIndexOf(CallNumber.dup2) < calls.IndexOf(CallNumber.close_range));
    }

    [Fact]
    public void The_containers_filter_is_loaded_while_the_right_to_do_so_is_there()
    {
        var calls = Plan(Process()).Select(s => s.Call).ToList();
        Assert.True(calls.IndexOf(CallNumber.seccomp) < calls.IndexOf(CallNumber.capset));
        calls = [.. Plan(Process() with { NoNewPrivileges = true }).Select(s => s.Call)];
        Assert.True(calls.IndexOf(CallNumber.seccomp) > calls.IndexOf(CallNumber.capset));
        Assert.DoesNotContain(CallNumber.seccomp, Plan(Process(), new Traits()).Select(s => s.Call));
    }

    [Fact]
    public void A_launch_stays_on_its_processor_until_nothing_is_forked_any_more_and_leaves_it_before_a_filter_could_forbid_that()
    {
        var calls = Plan(Process()).Select(s => s.Call).ToList();
        var free = calls.IndexOf(CallNumber.sched_setaffinity);
        Assert.DoesNotContain(CallNumber.clone3, calls);
        Assert.True(free >= 0 && free < calls.IndexOf(CallNumber.seccomp));
        Assert.Equal(free, calls.LastIndexOf(CallNumber.sched_setaffinity));
    }

    [Fact]
    public void A_terminal_is_taken_by_the_new_session()
    {
        var names = Plan(Process(terminal: true)).Select(s => s.Name).ToList();
        Assert.True(names.IndexOf("setsid") < names.IndexOf("take the terminal"));
        Assert.DoesNotContain("take the terminal", Plan(Process()).Select(s => s.Name));
    }

    [Fact]
    public void A_container_with_ids_of_its_own_is_entered_with_them_and_as_its_root()
    {
        ImmutableArray<OciIdMapping> ids = [new OciIdMapping { ContainerId = 0, HostId = 100000, Size = 65536 }];
        var steps = Plan(Process(), new Traits { UserIds = ids, GroupIds = ids });
        Assert.NotEqual(0, steps.Single(s => s.Call == CallNumber.setns).Arguments[1].Value & 0x10000000);
        Assert.Equal(["become group 0", "become user 0"], steps.SkipWhile(s => s.Name != "join the container's keyring").Skip(1).Take(2).Select(s => s.Name));
        Assert.Equal(0, Plan(Process()).Single(s => s.Call == CallNumber.setns).Arguments[1].Value & 0x10000000);
    }

    [Theory]
    [InlineData(CallNumber.chdir, 2, 127, "chdir to cwd (\"/\") set in config.json failed: no such file or directory")]
    [InlineData(CallNumber.chdir, 13, 126, "chdir to cwd (\"/\") set in config.json failed: permission denied")]
    [InlineData(CallNumber.setns, 3, 126, "the container has ended")]
    [InlineData(CallNumber.execve, 8, 126, "exec true: exec format error")]
    public void Failures_are_told_in_Dockers_words(object call, int errno, int code, string what)
    {
        var failure = EnterPlan.Explain(Process(), new LaunchFailedException(new LaunchStep("step", (CallNumber)call), errno, ImmutableDictionary<string, long>.Empty));
        Assert.Equal((code, $"OCI runtime exec failed: exec failed: unable to start container process: {what}: unknown"), (failure.ExitCode, failure.Message));
    }
}
