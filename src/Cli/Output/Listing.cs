using System.Text;
using System.Text.Json;
using Orchestrator.Cli.Output.Templates;

namespace Orchestrator.Cli.Output;

/// <summary>One field of a listing: its name in templates, its header in tables, its text.</summary>
internal sealed record Column<T>(string Field, string Header, Func<T, string> Text);

/// <summary>Rows as a table, as JSON lines, through a template, or as identifiers alone.</summary>
/// <param name="Shown">The fields of the default table, in order.</param>
internal sealed record Listing<T>(IReadOnlyList<Column<T>> Columns, IReadOnlyList<string> Shown)
{
    /// <summary>Renders the rows as the flag <c>--format</c> says; null or empty and <c>table</c> are the default table.</summary>
    /// <exception cref="TemplateException">The template cannot be read or names a field that the rows do not have.</exception>
    internal string Render(IEnumerable<T> rows, string? format)
    {
        if (format is null or "" or "table")
            return TextTable.Render([Header(), .. rows.Select(r => (IReadOnlyList<string>)[.. Shown.Select(f => Cell(f, r))])]);
        if (format == "json")
            format = "{{json .}}";
        var asTable = format.StartsWith("table ", StringComparison.Ordinal);
        var template = Template.Parse((asTable ? format[6..] : format)
            .Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        if (!asTable)
            return string.Concat(rows.Select(r => template.Render(Json(c => c.Text(r))) + "\n"));
        var lines = rows.Select(r => template.Render(Json(c => c.Text(r)))).Prepend(template.Render(Json(c => c.Header)));
        return TextTable.Render([.. lines.Select(l => (IReadOnlyList<string>)l.Split('\t'))]);
    }

    private List<string> Header() => [.. Shown.Select(f => Columns.First(c => c.Field == f).Header)];

    private string Cell(string field, T row) => Columns.First(c => c.Field == field).Text(row);

    private JsonElement Json(Func<Column<T>, string> text)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var column in Columns.OrderBy(c => c.Field, StringComparer.Ordinal))
                writer.WriteString(column.Field, text(column));
            writer.WriteEndObject();
        }
        using var json = JsonDocument.Parse(Encoding.UTF8.GetString(stream.ToArray()));
        return json.RootElement.Clone();
    }
}
