using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>
/// A further process in a running container. It is born in the container's pid namespace, which nobody enters himself, and joins the groups and
/// the other namespaces.
/// </summary>
internal static class EnterPlan
{
    /// <summary>The name under which the launching process provides the container's first process, by pidfd.</summary>
    internal const string Container = "container";

    /// <summary>The terminal's end that the process gets.</summary>
    internal const string Terminal = "terminal";

    private const ulong OtherNamespaces = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000; // mount, cgroup, uts, ipc, network
    private const ulong UserNamespace = 0x10000000;
    private const int KeyctlJoinSession = 1;

    /// <param name="container">The container's id, which names its keyring.</param>
    /// <param name="launch">What to run.</param>
    /// <param name="host">What this host allows.</param>
    /// <param name="legacyGroups">Its groups in the v1 hierarchies, each provided as its <c>tasks</c> file; into the v2 one the fork is born.</param>
    /// <param name="traits">Of the container.</param>
    /// <param name="warnings">Told what is given in part only.</param>
    internal static ImmutableArray<LaunchStep> For(
        string container, ExecLaunch launch, HostFacts host, IEnumerable<string> legacyGroups, Traits traits, ImmutableArray<string>.Builder warnings) =>
    [
        .. ProcessPlan.OfTheHost(launch.Process, host, warnings),
        .. legacyGroups.Select(d => new LaunchStep($"join cgroup {d}", CallNumber.write, Operand.File(d), "0", 1)),
        new LaunchStep("enter the container's namespaces", CallNumber.setns, Operand.File(Container), (long)(traits.UserIds.IsEmpty ? OtherNamespaces : OtherNamespaces | UserNamespace)),
        new LaunchStep("setsid", CallNumber.setsid),
        new LaunchStep("join the container's keyring", CallNumber.keyctl, KeyctlJoinSession, $"_ses.{container}")
        {
            Tolerate = [Step.NoSuchCall, Step.NotPermitted, Step.QuotaExceeded, Step.AccessDenied],
        },
        .. traits.UserIds.IsEmpty ? Step.None :
        [
            // Its root, whoever the host's root is in there.
            new LaunchStep("become group 0", CallNumber.setresgid, 0, 0, 0),
            new LaunchStep("become user 0", CallNumber.setresuid, 0, 0, 0),
        ],
        .. StdioPlan.For(launch.Process.Terminal),
        new LaunchStep("close descriptors", CallNumber.close_range, 3, uint.MaxValue, 0),
        .. ProcessPlan.For(launch.Process, new ProcessPlace(IsSecond: true, !traits.UserIds.IsEmpty, UnderInit: false), host, traits.Filter, warnings),
    ];

    /// <summary>As Docker words it, with its exit codes.</summary>
    internal static RuntimeException Explain(OciProcess process, LaunchFailedException failure)
    {
        var known = ExecPlan.Explain(process, failure);
        var (what, code) = failure.Step.Call switch
        {
            CallNumber.chdir => ($"chdir to cwd (\"{process.Cwd}\") set in config.json failed: {Words(failure.Errno)}", failure.Errno == Step.NoEntry ? 127 : 126),
            CallNumber.setns when failure.Errno == Step.NoProcess => ("the container has ended", 126),
            _ => (known.Message, known.ExitCode is 126 or 127 ? known.ExitCode : 126),
        };
        return new RuntimeException($"OCI runtime exec failed: exec failed: unable to start container process: {what}: unknown", failure) { ExitCode = code };
    }

    internal static RuntimeException Ended(string container) => new($"Container {container} is not running") { ExitCode = 126 };

    private static string Words(int errno) => errno switch
    {
        Step.NoEntry => "no such file or directory",
        Step.NotDirectory => "not a directory",
        Step.AccessDenied => "permission denied",
        _ => $"errno {errno}",
    };
}
