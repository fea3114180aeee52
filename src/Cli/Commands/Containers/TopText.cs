using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>The table of <c>top</c>: columns at least 20 wide, as docker's.</summary>
internal static class TopText
{
    private const int LeastWidth = 20;
    private const int Gap = 3;

    internal static string Write(ContainerTopReply reply)
    {
        IReadOnlyList<string>[] lines = [reply.Titles, .. reply.Processes];
        int[] widths = [.. reply.Titles.Select((_, i) => Math.Max(LeastWidth, lines.Max(l => l.Count > i ? l[i].Length + Gap : 0)))];
        var text = new StringBuilder();
        foreach (var line in lines)
            text.AppendJoin("", line.Select((cell, i) => i < line.Count - 1 ? cell.PadRight(widths[i]) : cell)).Append('\n');
        return text.ToString();
    }
}
