using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>A service's <c>secrets</c> and <c>configs</c>: a name alone, or source, target, uid, gid and mode.</summary>
internal sealed partial class ServiceReading
{
    private const uint ReadableByAll = 0x124; // 0444

    private List<ComposeReference> Payloads(MapReader body, string key)
    {
        var references = new List<ComposeReference>();
        foreach (var item in body.Items(key))
        {
            switch (item)
            {
                case ScalarNode { IsNull: false } name:
                    references.Add(new ComposeReference(name.Text, name.At, new ReferenceFile { Name = name.Text, Mode = ReadableByAll }));
                    break;
                case MappingNode map:
                    if (LongPayload(new MapReader(map, $"{body.Subject}.{key}", _problems)) is { } reference)
                        references.Add(reference);
                    break;
                default:
                    body.Wrong(item, key, "a list of names or mappings");
                    break;
            }
        }
        foreach (var twice in references.GroupBy(r => r.File.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            _problems.Add(twice.Last().At, $"{body.Subject}.{key} puts more than one at '{twice.Key}'");
        return references;
    }

    private ComposeReference? LongPayload(MapReader map)
    {
        var source = map.TextOrNumber("source");
        var file = new ReferenceFile
        {
            Name = map.TextOrNumber("target") ?? source ?? "",
            Uid = Owner(map, "uid"),
            Gid = Owner(map, "gid"),
            Mode = map.Parse("mode", OctalMode) ?? ReadableByAll,
        };
        map.Close();
        if (source is not null)
            return new ComposeReference(source, map.At, file);
        _problems.Add(map.At, $"{map.Subject} needs a 'source', the name under which the file declares it");
        return null;
    }

    private string Owner(MapReader map, string key)
    {
        var text = map.TextOrNumber(key) ?? "0";
        if (!uint.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _))
            _problems.Add(map.Take(key)!.At, $"{map.Subject}.{key} is '{text}', which is not a number");
        return text;
    }

    /// <summary>A number without a zero before it is decimal to one tool and octal to another.</summary>
    private static Parsed<uint> OctalMode(string text) => text is ['1' or '2' or '3' or '4' or '5' or '6' or '7', _, _]
        ? Parsed<uint>.Not($"'{text}' may be octal or decimal: write 0{text} for the permission bits {text}")
        : FileMode(text);
}
