using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Http;

/// <summary>Which events a listener wants, by the filters of <c>GET /events</c>.</summary>
public sealed class EventFilter(ApiFilters filters)
{
    /// <summary>The filters that <c>GET /events</c> knows.</summary>
    public static string[] Known { get; } =
        ["config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume"];

    private static readonly string[] Objects = ["config", "container", "daemon", "image", "network", "node", "plugin", "secret", "service", "volume"];

    public bool Wants(EventMessage message) =>
        filters.Any("type", type => type == message.Type)
        && filters.Any("scope", scope => scope == message.Scope)
        // exec_start: sh -c … matches exec_start
        && filters.Any("event", action => action == message.Action || message.Action.StartsWith(action + ":", StringComparison.Ordinal))
        && filters.Labels("label", message.Actor.Attributes)
        && Objects.All(kind => filters.Any(kind, wanted => Names(message, kind, wanted)));

    private static bool Names(EventMessage message, string kind, string wanted)
    {
        var attributes = message.Actor.Attributes;
        if (kind == "image" && attributes.TryGetValue("image", out var image) && (image == wanted || image.Split(':', 2)[0] == wanted))
            return true;
        return message.Type == kind
            && (message.Actor.Id == wanted
                || (wanted.Length > 0 && message.Actor.Id.StartsWith(wanted, StringComparison.Ordinal))
                || (attributes.TryGetValue("name", out var name) && (name == wanted || (kind == "image" && name.Split(':', 2)[0] == wanted))));
    }
}
