using System.Globalization;
using System.Text;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Inspection;

/// <summary>A node for people, as docker's <c>node inspect --pretty</c>.</summary>
internal static class NodeText
{
    internal static string Write(Node node)
    {
        var text = new StringBuilder();
        void Line(string line) => text.Append(CultureInfo.InvariantCulture, $"{line}\n");

        var description = node.Description ?? new NodeDescription();
        Line($"ID:\t\t\t{node.Id}");
        Labels(node.Spec.Labels);
        Line($"Hostname:              \t{description.Hostname}");
        Line(string.Create(CultureInfo.InvariantCulture, $"Joined at:             \t{node.CreatedAt:yyyy-MM-dd HH:mm:ss.fffffff} +0000 utc"));
        Line("Status:");
        Line($" State:\t\t\t{Word(node.Status.State)}");
        if (!string.IsNullOrEmpty(node.Status.Message))
            Line($" Message:              \t{node.Status.Message}");
        Line($" Availability:         \t{Word(node.Spec.Availability)}");
        Line($" Address:\t\t{node.Status.Addr}");
        if (node.ManagerStatus is { } manager)
        {
            Line("Manager Status:");
            Line($" Address:\t\t{manager.Addr}");
            Line($" Raft Status:\t\t{Word(manager.Reachability)}");
            Line($" Leader:\t\t{(manager.Leader ? "Yes" : "No")}");
        }
        Line("Platform:");
        Line($" Operating System:\t{description.Platform.Os}");
        Line($" Architecture:\t\t{description.Platform.Architecture}");
        Line("Resources:");
        Line(string.Create(CultureInfo.InvariantCulture, $" CPUs:\t\t\t{description.Resources.NanoCpus / 1_000_000_000}"));
        Line($" Memory:\t\t{Humanized.BinarySize(description.Resources.MemoryBytes)}");
        Line($"Engine Version:\t\t{description.Engine.EngineVersion}");
        Labels(description.Engine.Labels, "Engine Labels:");
        return text.ToString().TrimEnd('\n');

        void Labels(IReadOnlyDictionary<string, string> labels, string title = "Labels:")
        {
            if (labels.Count > 0)
                Line(title);
            foreach (var (key, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
                Line($" - {key}={value}");
        }
    }

    private static string Word<T>(T value)
    {
        var word = value?.ToString() ?? "";
        return word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant();
    }
}
