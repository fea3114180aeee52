using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.State;

// What the leader's own rooms write. None of these is ever refused: a step whose object changed meanwhile does
// nothing, and the room that proposed it sees so in the next state and plans again.

/// <summary>What only the leader of the moment may write: when it leads no more, the next one judges for itself, so none of these is forwarded.</summary>
internal abstract record LeaderCommand : Command;

/// <summary>What the rooms decided in one turn of the control loop, applied in this order in one entry.</summary>
internal sealed record Turn(IReadOnlyList<Command> Steps) : LeaderCommand;

/// <summary>Makes tasks from their service's spec, which is therefore not in the entry.</summary>
internal sealed record CreateTasks(IReadOnlyList<NewTask> Tasks) : Command;

/// <param name="SpecVersion">The service's spec version it was planned for; under another one it is not made.</param>
/// <param name="NodeId">Given for global services, empty otherwise.</param>
/// <param name="NotBefore">When the restart policy's delay ends; only for a desired state of ready.</param>
/// <param name="Relief">The task of a drained node that is to go when this one runs.</param>
internal sealed record NewTask(
    TaskId Id, ServiceId ServiceId, ulong SpecVersion, int Slot, NodeId NodeId, TaskState DesiredState, DateTimeOffset? NotBefore = null,
    TaskRelief? Relief = null);

/// <summary>Moves desired states; they only ever grow.</summary>
internal sealed record SetDesiredStates(IReadOnlyList<DesiredChange> Tasks) : Command;

internal sealed record DesiredChange(TaskId Id, TaskState State);

/// <summary>Gives tasks their addresses; a new task becomes pending.</summary>
internal sealed record AttachTasks(IReadOnlyList<TaskAttachments> Tasks) : Command;

internal sealed record TaskAttachments(TaskId Id, IReadOnlyList<NetworkAttachment> Attachments);

/// <summary>Gives pending tasks their nodes; they become assigned.</summary>
internal sealed record PlaceTasks(IReadOnlyList<TaskPlacement> Tasks) : Command;

internal sealed record TaskPlacement(TaskId Id, NodeId NodeId);

/// <summary>Says why tasks wait.</summary>
internal sealed record ExplainTasks(IReadOnlyList<TaskExplanation> Tasks) : Command;

internal sealed record TaskExplanation(TaskId Id, string Error);

/// <summary>Forgets tasks whose containers are gone.</summary>
internal sealed record DeleteTasks(IReadOnlyList<TaskId> Ids) : Command;

/// <summary>What nodes observed of their own tasks.</summary>
internal sealed record ReportTasks(IReadOnlyList<NodeReport> Nodes) : LeaderCommand;

internal sealed record NodeReport(NodeId NodeId, IReadOnlyList<TaskStatusUpdate> Updates);

/// <param name="SpecVersion">The spec version that is being rolled out; under another one nothing is written.</param>
internal sealed record SetUpdateStatus(ServiceId Id, ulong SpecVersion, UpdateStatus Status) : LeaderCommand;

/// <summary>An update failed by its own rule: the previous spec becomes the spec again.</summary>
internal sealed record RollBackService(ServiceId Id, ulong SpecVersion, string Message) : Command;

internal sealed record SetServicePorts(ServiceId Id, EndpointSpec Spec, IReadOnlyList<PortConfig> Ports) : Command;

/// <summary>Forgets removed services that have no task left.</summary>
internal sealed record DeleteServices(IReadOnlyList<ServiceId> Ids) : Command;

internal sealed record AllocateNetwork(NetworkId Id, IReadOnlyList<IpamConfig> Config) : Command;

/// <summary>Forgets removed networks that no task stands on any more.</summary>
internal sealed record DeleteNetworks(IReadOnlyList<NetworkId> Ids) : Command;

/// <summary>A node that proved its right to join is a member from now on; its agent's session makes it ready.</summary>
internal sealed record JoinNode(Node Node) : Command;

/// <summary>A node's agent opened a session: the node is ready and this is what it offers.</summary>
internal sealed record RegisterNode(NodeId Id, NodeDescription Description, string Address) : LeaderCommand;

/// <summary>A node proved that it uses a certificate of this issuer and said whom it trusts.</summary>
internal sealed record ConfirmNodeTls(NodeId Id, TlsInfo Tls) : Command;

internal sealed record SetNodeState(NodeId Id, NodeState State, string Message) : LeaderCommand;

/// <summary>Makes the role that a node's spec asks for its role in force, once the consensus agrees.</summary>
/// <param name="Address">Where the manager answers, <c>host:port</c>; null: it is none any more.</param>
/// <param name="Member">Its number in the consensus, which it says when it asks to be admitted; null: as it was.</param>
internal sealed record SetManager(NodeId Id, string? Address, ulong? Member = null) : LeaderCommand;
