using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Lab;

/// <summary>How a process of the machine gets into a host. It forks once more inside, since nobody enters a pid namespace himself.</summary>
internal static class LabEnterPlan
{
    /// <summary>The descriptors to provide besides those of the groups: the host's first process, and a background program's output and input.</summary>
    internal const string Host = "host";
    internal const string Log = "log";
    internal const string Nothing = "nothing";

    private const ulong AllNamespaces = LabHostPlan.Namespaces | 0x02000000; // and the cgroup namespace
    private const string Inside = "inside";
    private const int NotAllowed = 13;

    internal static ImmutableArray<LaunchStep> For(LabEntry entry, IEnumerable<string> groups) =>
    [
        .. groups.Select(g => new LaunchStep($"join cgroup {g}", CallNumber.write, Operand.File(g), "0", 1)),
        new LaunchStep("enter the host's namespaces", CallNumber.setns, Operand.File(Host), (long)AllNamespaces),
        new LaunchStep("fork inside the host", CallNumber.clone3, Operand.InnerClone(0), Operand.CloneSize) { JumpWhenZero = Inside },
        new LaunchStep("leave", CallNumber.exit_group, 0),
        new LaunchStep("chdir /", CallNumber.chdir, "/") { Label = Inside },
        new LaunchStep($"chdir {entry.Folder}", CallNumber.chdir, entry.Folder) { Tolerate = [Step.NoEntry, Step.NotDirectory, NotAllowed] },
        .. entry.OwnGroup ? [new LaunchStep("setpgid", CallNumber.setpgid, 0, 0)] : Step.None,
        .. entry.Log is null ? Step.None :
        [
            new LaunchStep("setsid", CallNumber.setsid),
            new LaunchStep("close stdin", CallNumber.dup2, Operand.File(Nothing), 0),
            new LaunchStep("redirect stdout", CallNumber.dup2, Operand.File(Log), 1),
            new LaunchStep("redirect stderr", CallNumber.dup2, Operand.File(Log), 2),
        ],
        new LaunchStep("close descriptors", CallNumber.close_range, 3, uint.MaxValue, 0),
        .. ExecPlan.For(Process(entry), init: false),
    ];

    /// <summary>In the container runtime's words, with its exit codes 126 and 127.</summary>
    internal static Runtime.RuntimeException Explain(LabEntry entry, LaunchFailedException failure) => ExecPlan.Explain(Process(entry), failure);

    private static OciProcess Process(LabEntry entry) => new() { Args = entry.Arguments, Env = entry.Environment };
}
