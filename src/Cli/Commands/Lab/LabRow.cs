using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>A host in the listing.</summary>
internal sealed record LabRow(string Host, string Address, string State, string Role, string Status, string Cuts)
{
    internal static Listing<LabRow> Listing { get; } = new(
        [
            new("Host", "HOST", r => r.Host),
            new("Address", "ADDRESS", r => r.Address),
            new("State", "STATE", r => r.State),
            new("Role", "ROLE", r => r.Role),
            new("Status", "NODE", r => r.Status),
            new("Cuts", "CUT FROM", r => r.Cuts),
        ],
        ["Host", "Address", "State", "Role", "Status", "Cuts"]);

    /// <param name="host">The lab's.</param>
    /// <param name="cuts">All.</param>
    /// <param name="node">What the cluster says of it; null: nobody could be asked, or it is no member.</param>
    internal static LabRow Of(LabHostState host, IReadOnlyList<LabCut> cuts, Node? node) => new(
        host.Name,
        host.Address,
        host.Holder?.Process.IsAlive != true ? "stopped" : host.Daemon?.IsAlive != true ? "no daemon" : "running",
        node is null ? "" : node.ManagerStatus is { } manager ? manager.Leader ? "leader" : "manager" : "worker",
        node is null ? "" : node.Status.State.ToString().ToLowerInvariant(),
        string.Join(", ", cuts.Where(c => c.Names(host.Name)).Select(c => c.From is null ? "all" : c.Host == host.Name ? c.From : c.Host)));
}
