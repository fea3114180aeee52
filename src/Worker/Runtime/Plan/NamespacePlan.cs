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

    private static readonly ImmutableDictionary<string, ulong> Kinds = new Dictionary<string, ulong>
    {
        ["mount"] = 0x00020000,
        ["cgroup"] = 0x02000000,
        ["uts"] = 0x04000000,
        ["ipc"] = 0x08000000,
        ["pid"] = 0x20000000,
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
            if (ns is { Path: not null, Type: "mount" or "pid" })
                throw new RuntimeException($"Joining the {ns.Type} namespace {ns.Path} is not supported yet.");
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

    /// <summary>The cgroup namespace is made later, when the process is in its groups.</summary>
    internal ulong CloneFlags => namespaces.Where(n => n.Path is null && n.Type != "cgroup").Aggregate(0UL, (flags, n) => flags | Kinds[n.Type]);

    internal ImmutableArray<FileToOpen> Files => [.. Entered.Select(n => new FileToOpen(n.Path!, n.Path!))];

    internal IEnumerable<LaunchStep> Steps()
    {
        foreach (var ns in Entered)
            yield return new LaunchStep($"enter {ns.Type} namespace {ns.Path}", CallNumber.setns, Operand.File(ns.Path!), (long)Kinds[ns.Type]);
        if (!Creates("network"))
            yield break;
        var request = new byte[InterfaceRequestSize];
        "lo"u8.CopyTo(request);
        request[InterfaceFlagsOffset] = UpAndRunning;
        yield return new LaunchStep("open a socket", CallNumber.socket, Inet, DatagramCloseOnExec, 0) { Keep = "socket" };
        yield return new LaunchStep("set the loopback interface up", CallNumber.ioctl, Operand.Result("socket"), SetInterfaceFlags, Operand.Bytes([.. request]));
    }

    private IEnumerable<OciNamespace> Entered => namespaces.Where(n => n.Path is not null);
}
