using System.Text.RegularExpressions;

namespace Orchestrator.Shared.Model;

/// <summary>Swarm's placeholders in hostname, environment and mounts (<c>docker service create</c>, "create services using templates").</summary>
public static partial class TaskPlaceholders
{
    private static readonly string[] Fields =
        [".Service.ID", ".Service.Name", ".Node.ID", ".Node.Hostname", ".Task.ID", ".Task.Name", ".Task.Slot"];

    /// <summary><c>{{ what }}</c>, with the group <c>what</c>.</summary>
    [GeneratedRegex(@"\{\{\s*(?<what>.*?)\s*\}\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    public static partial Regex Pattern { get; }

    /// <summary><c>index .Service.Labels "name"</c>, with the group <c>name</c>.</summary>
    [GeneratedRegex("^index \\.Service\\.Labels \"(?<name>.*)\"$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    public static partial Regex Label { get; }

    /// <summary>The placeholders of a text that stand for nothing.</summary>
    public static IEnumerable<string> Unknown(string? text) => text is null || !text.Contains("{{", StringComparison.Ordinal)
        ? []
        : Pattern.Matches(text).Select(m => m.Groups["what"].Value).Where(what => !Fields.Contains(what) && !Label.IsMatch(what));
}
