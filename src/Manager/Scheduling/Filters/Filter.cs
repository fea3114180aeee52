using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Scheduling.Filters;

/// <summary>One reason why a node can't take a task, and the words for it: Swarm's, so that habits carry over, and then the thing itself.</summary>
/// <param name="Passes">Whether the node may take the task as far as this filter sees.</param>
/// <param name="Explain">What is said when it kept so many nodes away from the task.</param>
internal sealed record Filter(Func<ServiceTask, Candidate, bool> Passes, Func<ServiceTask, int, string> Explain)
{
    /// <summary>In the order of asking: a node is counted at the first filter that refuses it.</summary>
    internal static ImmutableArray<Filter> All { get; } =
    [
        new(IsReady, (_, n) => n == 1 ? "1 node not available for new tasks" : $"{n} nodes not available for new tasks"),
        new(HasResources, (task, n) => $"insufficient resources on {Nodes(n)}{Wanted(task)}"),
        new((task, node) => PlacementConstraint.AllHold(task.Spec.Placement, node.Node), (task, n) => $"scheduling constraints not satisfied on {Nodes(n)}: {string.Join(", ", task.Spec.Placement?.Constraints ?? [])}"),
        new(HasPlatform, (_, n) => $"unsupported platform on {Nodes(n)}"),
        new((task, node) => !task.HostPorts.Any(node.HasHostPort), (task, n) => $"host-mode port already in use on {Nodes(n)}: {string.Join(", ", task.HostPorts.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.PublishedPort}/{p.Protocol}")))}"),
        new(HasRoom, (_, _) => "max replicas per node limit exceed"),
    ];

    private static string Nodes(int count) => count == 1 ? "1 node" : $"{count} nodes";

    private static string Wanted(ServiceTask task)
    {
        var reserved = task.Spec.Resources?.Reservations ?? new();
        var cpus = reserved.NanoCpus == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{reserved.NanoCpus / 1e9m:0.###} CPUs");
        var memory = reserved.MemoryBytes == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{reserved.MemoryBytes / 1048576m:0.###} MiB of memory");
        return $": {string.Join(" and ", new[] { cpus, memory }.Where(w => w is not null))} wanted by each task";
    }

    private static bool IsReady(ServiceTask task, Candidate node) =>
        node.Node is { Status.State: NodeState.Ready, Spec.Availability: NodeAvailability.Active };

    private static bool HasResources(ServiceTask task, Candidate node)
    {
        var reserved = task.Spec.Resources?.Reservations ?? new();
        return (reserved.NanoCpus == 0 || reserved.NanoCpus <= node.FreeNanoCpus)
            && (reserved.MemoryBytes == 0 || reserved.MemoryBytes <= node.FreeMemory);
    }

    private static bool HasPlatform(ServiceTask task, Candidate node)
    {
        var platforms = task.Spec.Placement?.Platforms ?? [];
        var own = node.Node.Description?.Platform ?? new();
        return platforms.Count == 0 || platforms.Any(p =>
            (p.Os.Length == 0 || Same(p.Os, own.Os)) && (p.Architecture.Length == 0 || Same(Common(p.Architecture), Common(own.Architecture))));
    }

    private static bool HasRoom(ServiceTask task, Candidate node) =>
        task.Spec.Placement?.MaxReplicas is not ({ } most and > 0) || (ulong)node.TasksOf(task.ServiceId) < most;

    /// <summary>Images say amd64 and arm64 where kernels say x86_64 and aarch64.</summary>
    private static string Common(string architecture) => architecture switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => architecture,
    };

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
