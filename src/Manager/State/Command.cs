using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>One log entry's payload. Ids and times are made by the proposer, so that Apply is a function of state and command.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(InitSwarm), "swarm-init")]
[JsonDerivedType(typeof(UpdateSwarm), "swarm-update")]
[JsonDerivedType(typeof(SetSecurity), "swarm-security")]
[JsonDerivedType(typeof(UpdateNode), "node-update")]
[JsonDerivedType(typeof(RemoveNode), "node-remove")]
[JsonDerivedType(typeof(CreateService), "service-create")]
[JsonDerivedType(typeof(UpdateService), "service-update")]
[JsonDerivedType(typeof(RemoveService), "service-remove")]
[JsonDerivedType(typeof(CreateNetwork), "network-create")]
[JsonDerivedType(typeof(RemoveNetwork), "network-remove")]
[JsonDerivedType(typeof(CreateSecret), "secret-create")]
[JsonDerivedType(typeof(UpdateSecret), "secret-update")]
[JsonDerivedType(typeof(RemoveSecret), "secret-remove")]
[JsonDerivedType(typeof(CreateConfig), "config-create")]
[JsonDerivedType(typeof(UpdateConfigLabels), "config-update")]
[JsonDerivedType(typeof(RemoveConfig), "config-remove")]
[JsonDerivedType(typeof(DeployStack), "stack-deploy")]
[JsonDerivedType(typeof(Turn), "turn")]
[JsonDerivedType(typeof(CreateTasks), "tasks-create")]
[JsonDerivedType(typeof(SetDesiredStates), "tasks-desire")]
[JsonDerivedType(typeof(AttachTasks), "tasks-attach")]
[JsonDerivedType(typeof(PlaceTasks), "tasks-place")]
[JsonDerivedType(typeof(ExplainTasks), "tasks-explain")]
[JsonDerivedType(typeof(DeleteTasks), "tasks-delete")]
[JsonDerivedType(typeof(ReportTasks), "tasks-report")]
[JsonDerivedType(typeof(SetUpdateStatus), "service-update-status")]
[JsonDerivedType(typeof(RollBackService), "service-rollback")]
[JsonDerivedType(typeof(SetServicePorts), "service-ports")]
[JsonDerivedType(typeof(DeleteServices), "services-delete")]
[JsonDerivedType(typeof(AllocateNetwork), "network-allocate")]
[JsonDerivedType(typeof(DeleteNetworks), "networks-delete")]
[JsonDerivedType(typeof(JoinNode), "node-join")]
[JsonDerivedType(typeof(RegisterNode), "node-register")]
[JsonDerivedType(typeof(SetNodeState), "node-state")]
[JsonDerivedType(typeof(ConfirmNodeTls), "node-tls")]
[JsonDerivedType(typeof(SetManager), "node-manager")]
[JsonDerivedType(typeof(LeaveNode), "node-leave")]
[JsonDerivedType(typeof(BeginAnew), "swarm-begin-anew")]
internal abstract record Command
{
    /// <summary>The proposer's clock; becomes CreatedAt and UpdatedAt.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>A retried command carries the same id, and Apply answers the second with the first's outcome.</summary>
    public string? RequestId { get; init; }
}

/// <summary>The first entry of a cluster: itself and its first node.</summary>
internal sealed record InitSwarm(Swarm Swarm, Node FirstNode) : Command
{
    /// <summary>Its CA and tokens; null in the entries of clusters that were begun before nodes had certificates.</summary>
    public ClusterSecurity? Security { get; init; }
}

internal sealed record UpdateSwarm(ulong Version, SwarmSpec Spec) : Command
{
    /// <summary>What changes with it: new tokens, a rotation of the CA. Both or neither.</summary>
    public SetSecurity? Security { get; init; }
}

/// <summary>Replaces the cluster's security as a whole.</summary>
/// <param name="Version">The one that it was made from; zero: there was none.</param>
internal sealed record SetSecurity(ulong Version, ClusterSecurity Security) : Command;

internal sealed record UpdateNode(NodeId Id, ulong Version, NodeSpec Spec) : Command;

internal sealed record RemoveNode(NodeId Id, bool Force) : Command;

/// <summary>A node said farewell: it is down, a worker by its spec, and its tasks are replaced.</summary>
internal sealed record LeaveNode(NodeId Id) : Command;

/// <summary>The consensus was begun anew with one manager: every other one is a worker that is down, until it is heard of.</summary>
/// <param name="Address">Where the one answers now, <c>host:port</c>.</param>
/// <param name="Member">Its number, which stays: so does its journal. Null: made from its node's id.</param>
internal sealed record BeginAnew(NodeId Self, string Address, ulong? Member = null) : Command;

internal sealed record CreateService(ServiceId Id, ServiceSpec Spec) : Command;

/// <param name="Rollback">True: the previous spec becomes the spec again; <paramref name="Spec"/> is ignored.</param>
internal sealed record UpdateService(ServiceId Id, ulong Version, ServiceSpec Spec, bool Rollback = false) : Command;

internal sealed record RemoveService(ServiceId Id) : Command;

internal sealed record CreateNetwork(NetworkId Id, NetworkCreateRequest Spec) : Command;

internal sealed record RemoveNetwork(NetworkId Id) : Command;

internal sealed record CreateSecret(string Id, SecretSpec Spec) : Command;

internal sealed record UpdateSecret(string Id, ulong Version, SecretSpec Spec) : Command;

internal sealed record RemoveSecret(string Id) : Command;

internal sealed record CreateConfig(string Id, ConfigSpec Spec) : Command;

internal sealed record UpdateConfigLabels(string Id, ulong Version, ConfigSpec Spec) : Command;

internal sealed record RemoveConfig(string Id) : Command;

/// <summary>A whole stack in one entry. Ids are given in the order of the spec's objects; an object that exists keeps its own.</summary>
internal sealed record DeployStack(
    string Name, StackSpec Spec, IReadOnlyList<NetworkId> NetworkIds, IReadOnlyList<ServiceId> ServiceIds) : Command
{
    public IReadOnlyList<string> SecretIds { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> ConfigIds { get; init => field = value ?? []; } = [];
}
