using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Worker.Containers;

/// <summary>The filters of <c>docker ps</c>, pure.</summary>
internal static class ContainerFilter
{
    internal static IReadOnlyList<ContainerSnapshot> Apply(ContainerQuery query, IReadOnlyList<ContainerSnapshot> all)
    {
        foreach (var name in query.Filters.Keys)
        {
            if (!ContainerQuery.KnownFilters.Contains(name))
                throw new InvalidContainerException("filters", $"invalid filter '{name}'");
        }

        Check(query, "status", ["created", "restarting", "running", "removing", "paused", "exited", "dead"]);
        Check(query, "health", ["none", "starting", "healthy", "unhealthy"]);
        Check(query, "is-task", ["true", "false", "1", "0"]);
        foreach (var value in query.Filters.GetValueOrDefault("exited") ?? [])
        {
            if (Number(value) is null)
                throw new InvalidContainerException("filters", $"invalid filter 'exited={value}': write an exit code");
        }

        var everyState = query.All || query.Limit is > 0
            || query.Filters.ContainsKey("status") || query.Filters.ContainsKey("exited");
        var ordered = all.OrderByDescending(s => s.Container.Created).ThenBy(s => s.Id, StringComparer.Ordinal);
        var found = ordered.Where(s => (everyState || s.State.Status is ContainerStatus.Running or ContainerStatus.Restarting)
            && query.Filters.All(f => f.Value.Count == 0 || Fits(f.Key, f.Value, s, all)));
        return [.. query.Limit is > 0 and var limit ? found.Take(limit) : found];
    }

    private static void Check(ContainerQuery query, string filter, string[] known)
    {
        foreach (var value in query.Filters.GetValueOrDefault(filter) ?? [])
        {
            if (!known.Contains(value))
                throw new InvalidContainerException("filters", $"invalid filter '{filter}={value}': known are {string.Join(", ", known)}");
        }
    }

    private static bool Fits(string filter, IReadOnlyList<string> values, ContainerSnapshot s, IReadOnlyList<ContainerSnapshot> all)
    {
        var (container, state) = (s.Container, s.State);
        return filter switch
        {
            "id" => values.Any(v => container.Id.StartsWith(v, StringComparison.Ordinal)),
            "name" => values.Any(v => NameFits(v, container.Name)),
            "label" => values.All(v => LabelFits(v, container.Config.Labels)), // Docker: labels must all hold
            "status" => values.Any(v => v == ContainerViews.Word(state)),
            "health" => values.Any(v => v == (state.Health?.Status ?? "none")),
            "exited" => state.Status == ContainerStatus.Exited && values.Any(v => Number(v) == state.ExitCode),
            "ancestor" => values.Any(v => AncestorFits(v, container)),
            "network" => values.Any(v => state.Endpoints.Any(e => e.NetworkId.StartsWith(v, StringComparison.Ordinal) || e.NetworkName == v)
                || container.HostConfig.NetworkMode == v),
            "publish" => values.Any(v => state.Ports.Any(p => PortFits(v, p.HostPort, p.Protocol))),
            "expose" => values.Any(v => container.Config.ExposedPorts.Keys.Any(e => e == v || e == v + "/tcp")),
            "volume" => values.Any(v => Plan.VolumePlan.Points(container).Any(p => p.Name == v || p.Source == v || p.Destination == v)),
            "before" => values.All(v => Other(v, all).Container.Created > container.Created),
            "since" => values.All(v => Other(v, all).Container.Created < container.Created),
            "is-task" => values.Any(v => (v is "true" or "1") == container.Config.Labels.ContainsKey(TaskLabels.TaskId)),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static bool NameFits(string pattern, string name)
    {
        try
        {
            var expression = new Regex(pattern.TrimStart('/'), RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100));
            return expression.IsMatch(name) || (pattern.StartsWith("^/", StringComparison.Ordinal) && Regex.IsMatch("/" + name, pattern, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100)));
        }
        catch (ArgumentException)
        {
            throw new InvalidContainerException("filters", $"the name filter '{pattern}' is not a regular expression");
        }
    }

    private static bool LabelFits(string wanted, IReadOnlyDictionary<string, string> labels)
    {
        var at = wanted.IndexOf('=');
        return at < 0 ? labels.ContainsKey(wanted) : labels.TryGetValue(wanted[..at], out var value) && value == wanted[(at + 1)..];
    }

    private static bool AncestorFits(string wanted, StoredContainer container) =>
        container.Config.Image == wanted || container.Config.Image == wanted + ":latest" || container.Config.Image + ":latest" == wanted
        || container.ImageId == wanted || container.ImageId.StartsWith("sha256:" + wanted, StringComparison.Ordinal);

    private static bool PortFits(string wanted, int port, string protocol)
    {
        var parts = wanted.Split('/');
        return Number(parts[0]) == port && (parts.Length == 1 || parts[1] == protocol);
    }

    private static ContainerSnapshot Other(string reference, IReadOnlyList<ContainerSnapshot> all) =>
        all.FirstOrDefault(s => s.Id == reference || s.Container.Name == reference.TrimStart('/') || s.Id.StartsWith(reference, StringComparison.Ordinal))
        ?? throw new ContainerNotFoundException(reference);

    private static int? Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;
}
