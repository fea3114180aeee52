using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>Tells the cluster's changes as the events that <c>GET /events</c> shows (scope <c>swarm</c>).</summary>
internal static class ClusterEvents
{
    /// <summary>Publishes every change after the call until cancelled.</summary>
    internal static async Task RunAsync(ICluster cluster, Action<EventMessage> publish, CancellationToken stop)
    {
        await foreach (var change in cluster.WatchAsync(stop))
        {
            if (Of(change) is { } message)
                publish(message);
        }
    }

    /// <summary>The event of a change; null where Docker tells none (tasks) or nothing an operator sees has changed.</summary>
    internal static EventMessage? Of(StateChange change)
    {
        if (change.Lagged)
            return null;
        return (change.Kind, change.Before, change.After) switch
        {
            (ChangeKind.Created, _, Service s) => Message("service", "create", s.Id.Value, s.Spec.Name),
            (ChangeKind.Updated, Service { PendingDelete: false }, Service { PendingDelete: true } s) => Message("service", "remove", s.Id.Value, s.Spec.Name),
            (ChangeKind.Updated, Service { PendingDelete: true }, Service) => null,
            (ChangeKind.Updated, Service before, Service after) => Updated(before, after),
            (ChangeKind.Removed, Service { PendingDelete: false } s, _) => Message("service", "remove", s.Id.Value, s.Spec.Name),
            (ChangeKind.Created, _, Node n) => Message("node", "create", n.Id.Value, n.Description?.Hostname ?? ""),
            (ChangeKind.Updated, Node before, Node after) => Updated(before, after),
            (ChangeKind.Removed, Node n, _) => Message("node", "remove", n.Id.Value, n.Description?.Hostname ?? ""),
            (ChangeKind.Created, _, Network n) => Message("network", "create", n.Id.Value, n.Name),
            (ChangeKind.Removed, Network n, _) => Message("network", "remove", n.Id.Value, n.Name),
            (ChangeKind.Created, _, StoredPayload p) => Message(p.Noun, "create", p.Id, p.Content.Name),
            (ChangeKind.Updated, _, StoredPayload p) => Message(p.Noun, "update", p.Id, p.Content.Name),
            (ChangeKind.Removed, StoredPayload p, _) => Message(p.Noun, "remove", p.Id, p.Content.Name),
            _ => null,
        };
    }

    private static EventMessage? Updated(Service before, Service after)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        if (before.UpdateStatus?.State != after.UpdateStatus?.State && after.UpdateStatus?.State is { } state)
            attributes["updatestate.new"] = state;
        var (old, now) = (before.Spec.Mode.Replicated, after.Spec.Mode.Replicated);
        if (old is not null && now is not null && (old.Replicas ?? 1) != (now.Replicas ?? 1))
        {
            attributes["replicas.old"] = $"{old.Replicas ?? 1}";
            attributes["replicas.new"] = $"{now.Replicas ?? 1}";
        }

        var image = after.Spec.TaskTemplate.ContainerSpec?.Image;
        if (before.Spec.TaskTemplate.ContainerSpec?.Image is { } oldImage && image is not null && oldImage != image)
        {
            attributes["image.old"] = oldImage;
            attributes["image.new"] = image;
        }

        return attributes.Count == 0 && ReferenceEquals(before.Spec, after.Spec)
            ? null
            : Message("service", "update", after.Id.Value, after.Spec.Name, attributes);
    }

    private static EventMessage? Updated(Node before, Node after)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        Change("availability", before.Spec.Availability, after.Spec.Availability);
        Change("state", before.Status.State, after.Status.State);
        Change("role", before.Spec.Role, after.Spec.Role);
        return attributes.Count == 0 && ReferenceEquals(before.Spec, after.Spec)
            ? null
            : Message("node", "update", after.Id.Value, after.Description?.Hostname ?? "", attributes);

        void Change<T>(string name, T old, T now) where T : struct, Enum
        {
            if (EqualityComparer<T>.Default.Equals(old, now))
                return;
            attributes[$"{name}.old"] = $"{old}".ToLowerInvariant();
            attributes[$"{name}.new"] = $"{now}".ToLowerInvariant();
        }
    }

    private static EventMessage Message(string type, string action, string id, string name, Dictionary<string, string>? attributes = null) => new()
    {
        Type = type,
        Action = action,
        Scope = "swarm",
        Actor = new EventActor { Id = id, Attributes = new Dictionary<string, string>(attributes ?? [], StringComparer.Ordinal) { ["name"] = name } },
    };
}
