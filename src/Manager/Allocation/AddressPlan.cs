using System.Globalization;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Allocation;

/// <summary>
/// Gives every new task one address on each of its networks. A service that names no network stands on the ingress
/// network, which carries its way out and its published ports.
/// </summary>
/// <remarks>An address is free again when its task is forgotten or has ended on its node, never before.</remarks>
internal static class AddressPlan
{
    internal static Decision Plan(ClusterState state, DateTimeOffset now)
    {
        var waiting = state.Tasks.Values.Where(t => t.Status.State == TaskState.New && t.DesiredState <= TaskState.Running).ToList();
        if (waiting.Count == 0)
            return Decision.Nothing;
        var pools = new Dictionary<NetworkId, AddressPool>();
        var attached = new List<TaskAttachments>();
        var explained = new List<TaskExplanation>();
        foreach (var task in waiting)
        {
            var (attachments, problem) = Attach(state, task, pools);
            if (problem is null)
                attached.Add(new(task.Id, attachments));
            else if (task.Status.Err != problem)
                explained.Add(new(task.Id, problem));
        }

        var commands = new List<Command>();
        if (attached.Count > 0)
            commands.Add(new AttachTasks(attached) { At = now });
        if (explained.Count > 0)
            commands.Add(new ExplainTasks(explained) { At = now });
        return new(commands);
    }

    private static (IReadOnlyList<NetworkAttachment> Attachments, string? Problem) Attach(
        ClusterState state, ServiceTask task, Dictionary<NetworkId, AddressPool> pools)
    {
        IEnumerable<NetworkAttachmentConfig> wanted = task.Spec.Networks;
        if (task.Spec.Networks.Count == 0 && state.Networks.Values.FirstOrDefault(n => n.Ingress) is { } ingress)
            wanted = [new() { Target = ingress.Id.Value }];
        var attachments = new List<NetworkAttachment>();
        foreach (var config in wanted)
        {
            var id = new NetworkId(config.Target);
            if (PredefinedNetworks.Find(config.Target) is { } predefined)
            {
                attachments.Add(new() { NetworkId = id, Network = predefined });
                continue;
            }

            if (!state.Networks.TryGetValue(id, out var network))
                return ([], $"network {config.Target} not found");
            if (!pools.TryGetValue(id, out var pool))
                pools[id] = pool = AddressPool.Of(network, state);
            if (pool.Peek() is not { } address)
            {
                var why = pool.IsEmpty ? "has no subnet: the default address pools are used up" : "has no free address";
                return ([], $"network {network.Name} {why}");
            }

            var text = string.Create(CultureInfo.InvariantCulture, $"{Ipv4Subnet.Format(address)}/{pool.PrefixLength}");
            attachments.Add(new() { NetworkId = id, Addresses = [text], Aliases = config.Aliases });
        }

        // Only a task that got all its addresses takes any.
        foreach (var attachment in attachments.Where(a => a.Addresses.Count > 0))
            pools[attachment.NetworkId].Take();
        return (attachments, null);
    }
}
