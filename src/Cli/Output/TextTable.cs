using System.Text;

namespace Orchestrator.Cli.Output;

/// <summary>Lines of cells under each other as docker prints them: no rules, columns at least 10 wide, three blanks between.</summary>
internal static class TextTable
{
    private const int LeastWidth = 10;
    private const int Gap = 3;

    internal static string Render(IReadOnlyList<IReadOnlyList<string>> lines)
    {
        var columns = lines.Count == 0 ? 0 : lines.Max(l => l.Count);
        var widths = new int[columns];
        foreach (var line in lines)
        {
            for (var i = 0; i < line.Count - 1; i++)
                widths[i] = Math.Max(widths[i], Math.Max(LeastWidth, line[i].Length + Gap));
        }
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            for (var i = 0; i < line.Count; i++)
                text.Append(i == line.Count - 1 ? line[i] : line[i].PadRight(widths[i]));
            text.Append('\n');
        }
        return text.ToString();
    }
}
