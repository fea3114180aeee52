using System.Globalization;
using System.Text.Json;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>The table of <c>ps</c>.</summary>
internal static class ContainerRow
{
    private const int LongestCommand = 20;

    internal static Listing<ContainerSummary> Listing(bool noTrunc, bool size, DateTimeOffset now) => new(
        [
            new("ID", "CONTAINER ID", c => Texts.Id(c.Id, noTrunc)),
            new("Image", "IMAGE", c => c.Image.Length > 0 ? Texts.Image(c.Image, noTrunc) : "<no image>"),
            new("Command", "COMMAND", c => Command(c.Command, noTrunc)),
            new("CreatedAt", "CREATED AT", c => Texts.Time(DateTimeOffset.FromUnixTimeSeconds(c.Created))),
            new("RunningFor", "CREATED", c => Humanized.Ago(DateTimeOffset.FromUnixTimeSeconds(c.Created), now)),
            new("State", "STATE", c => c.State),
            new("Status", "STATUS", c => c.Status),
            new("Ports", "PORTS", c => Ports(c.Ports)),
            new("Names", "NAMES", c => string.Join(',', c.Names.Select(n => n.TrimStart('/')))),
            new("Labels", "LABELS", c => Texts.Labels(c.Labels)),
            new("Mounts", "MOUNTS", c => string.Join(',', c.Mounts.Select(m => m.Name ?? m.Source))),
            new("LocalVolumes", "LOCAL VOLUMES", c => c.Mounts.Count(m => m.Driver == "local").ToString(CultureInfo.InvariantCulture)),
            new("Networks", "NETWORKS", c => string.Join(',', (c.NetworkSettings.Networks?.Keys ?? []).Order(StringComparer.Ordinal))),
            new("Size", "SIZE", c => c.SizeRootFs is > 0 and var root ? $"{Humanized.Size(c.SizeRw ?? 0)} (virtual {Humanized.Size(root)})" : Humanized.Size(c.SizeRw ?? 0)),
        ],
        size
            ? ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names", "Size"]
            : ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"]);

    private static string Command(string command, bool noTrunc)
    {
        var shown = !noTrunc && command.Length > LongestCommand ? command[..(LongestCommand - 1)] + "…" : command;
        return $"\"{JsonEncodedText.Encode(shown, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }

    internal static string Ports(IReadOnlyList<PortSummary> ports) => string.Join(", ", ports
        .OrderBy(p => p.PrivatePort).ThenBy(p => p.Type, StringComparer.Ordinal).ThenBy(p => p.Ip, StringComparer.Ordinal)
        .Select(p => p.PublicPort is > 0
            ? $"{(p.Ip is { } ip && ip.Contains(':') ? $"[{ip}]" : p.Ip ?? "0.0.0.0")}:{p.PublicPort}->{p.PrivatePort}/{p.Type}"
            : $"{p.PrivatePort}/{p.Type}"));
}
