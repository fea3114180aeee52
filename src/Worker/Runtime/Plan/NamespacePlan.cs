using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>Which namespaces are cloned, which are entered.</summary>
internal sealed class NamespacePlan
{
    private const int InterfaceRequestSize = 40;
    private const int InterfaceFlagsOffset = 16;
    private const byte UpAndRunning = 0x41;
    private const int SetInterfaceFlags = 0x8914;
    private const int Inet = 2;
    private const int DatagramCloseOnExec = 0x80002;
    private const string User = "user";
    private const string Pid = "pid";
    private const string InsideLabel = "inside";

    private static readonly ImmutableDictionary<string, ulong> Kinds = new Dictionary<string, ulong>
    {
        ["mount"] = 0x00020000,
        ["cgroup"] = 0x02000000,
        ["uts"] = 0x04000000,
        ["ipc"] = 0x08000000,
        [User] = 0x10000000,
        [Pid] = 0x20000000,
        ["network"] = 0x40000000,
    }.ToImmutableDictionary();

    private readonly ImmutableArray<OciNamespace> namespaces;

    private NamespacePlan(ImmutableArray<OciNamespace> namespaces) => this.namespaces = namespaces;

    internal static NamespacePlan For(ImmutableArray<OciNamespace> namespaces)
    {
        foreach (var ns in namespaces)
        {
            if (!Kinds.ContainsKey(ns.Type))
                throw new RuntimeException($"A {ns.Type} namespace is not supported yet.");
            if (ns is { Path: not null, Type: "mount" })
                throw new RuntimeException($"Joining the {ns.Type} namespace {ns.Path} is not supported: a container has a root of its own.");
            if (ns is { Path: null, Type: User })
                throw new RuntimeException("A user namespace needs a path: a process of many threads cannot make one in passing.");
        }
        if (namespaces.GroupBy(n => n.Type).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new RuntimeException($"The {twice.Key} namespace is named twice.");
        return namespaces.Any(n => n.Type == "mount")
            ? new NamespacePlan(namespaces)
            : throw new RuntimeException("A container needs a mount namespace of its own.");
    }

    internal bool Creates(string type) => namespaces.Any(n => n.Type == type && n.Path is null);

    /// <summary>It is not the host's: a new one or another container's.</summary>
    internal bool Separate(string type) => namespaces.Any(n => n.Type == type);

    /// <summary>Where the user namespace lies, if the container's ids are not the host's.</summary>
    internal string? UserPath => namespaces.FirstOrDefault(n => n.Type == User)?.Path;

    /// <summary>
    /// A pid namespace is entered by children only, and the others must belong to a user namespace that is entered before they are made:
    /// then one process enters and makes a second, which is the container's.
    /// </summary>
    internal bool TakesTwoProcesses => namespaces.Any(n => n is { Path: not null, Type: User or Pid });

    /// <summary>The cgroup namespace is made later, when the process is in its groups.</summary>
    internal ulong CloneFlags => TakesTwoProcesses ? 0 : NewFlags;

    internal ImmutableArray<FileToOpen> Files => [.. namespaces.Where(n => n.Path is not null).Select(n => new FileToOpen(n.Path!, n.Path!))];

    /// <summary>Ends what the first of two processes does; what follows is the second's.</summary>
    internal IEnumerable<LaunchStep> SecondProcess()
    {
        if (!TakesTwoProcesses)
            return [];
        // The user namespace last: in it nothing of the host may be entered any more.
        return
        [
            .. namespaces.Where(n => n is { Path: not null, Type: Pid }).Concat(namespaces.Where(n => n.Type == User)).Select(Enter),
            new LaunchStep("make the container's namespaces", CallNumber.clone3, Operand.InnerClone(NewFlags), Operand.CloneSize) { JumpWhenZero = InsideLabel },
            new LaunchStep("leave the rest to the second process", CallNumber.exit_group, 0),
            // Its root, whoever the host's root is in there.
            new LaunchStep("become group 0", CallNumber.setresgid, 0, 0, 0) { Label = InsideLabel },
            new LaunchStep("become user 0", CallNumber.setresuid, 0, 0, 0),
        ];
    }

    internal IEnumerable<LaunchStep> Steps()
    {
        foreach (var ns in namespaces.Where(n => n.Path is not null && n.Type is not (User or Pid)))
            yield return Enter(ns);
        if (!Creates("network"))
            yield break;
        var request = new byte[InterfaceRequestSize];
        "lo"u8.CopyTo(request);
        request[InterfaceFlagsOffset] = UpAndRunning;
        yield return new LaunchStep("open a socket", CallNumber.socket, Inet, DatagramCloseOnExec, 0) { Keep = "socket" };
        yield return new LaunchStep("set the loopback interface up", CallNumber.ioctl, Operand.Result("socket"), SetInterfaceFlags, Operand.Bytes([.. request]));
    }

    private ulong NewFlags => namespaces.Where(n => n.Path is null && n.Type != "cgroup").Aggregate(0UL, (flags, n) => flags | Kinds[n.Type]);

    private static LaunchStep Enter(OciNamespace ns) =>
        new($"enter {ns.Type} namespace {ns.Path}", CallNumber.setns, Operand.File(ns.Path!), (long)Kinds[ns.Type]);
}
