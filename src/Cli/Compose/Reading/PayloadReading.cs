using System.Text;
using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Cli.Compose.Values;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>The top-level <c>secrets</c> and <c>configs</c>, with the data that their files and variables hold.</summary>
internal sealed class PayloadReading(ReadingContext context)
{
    private readonly ProblemList _problems = context.Problems;

    internal IReadOnlyList<ComposePayload> Read(MapReader top, string section)
    {
        if (top.Map(section) is not { } map)
            return [];
        var found = new List<ComposePayload>();
        foreach (var entry in map.Entries.Where(e => !e.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            var noun = section[..^1];
            if (!FileReading.IsName(entry.Key))
                _problems.Add(entry.At, $"'{entry.Key}' cannot name a {noun}: use letters, digits, '.', '_' and '-', beginning with a letter or digit");
            if (entry.Value is MappingNode body)
                found.Add(One(new MapReader(body, $"{section}.{entry.Key}", _problems), entry, noun));
            else if (entry.Value is ScalarNode { IsNull: true })
                _problems.Add(entry.At, $"{section}.{entry.Key} says nothing: give it {Ways(noun)}");
            else
                _problems.Add(entry.Value.At, $"{section}.{entry.Key} must be a mapping, not {entry.Value.Kind}");
        }
        return found;
    }

    /// <summary>What services use must be declared.</summary>
    internal void Check(
        string section, string noun, IReadOnlyList<ComposeService> services, Func<ComposeService, IReadOnlyList<ComposeReference>> used, IReadOnlyList<ComposePayload> declared)
    {
        var known = declared.Select(p => p.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var service in services)
        {
            foreach (var reference in used(service).Where(r => !known.Contains(r.Source)))
            {
                var hint = Spelling.Nearest(reference.Source, known) is { } near ? $", did you mean '{near}'?" : "";
                _problems.Add(reference.At, $"services.{service.Name} uses the {noun} '{reference.Source}', which the file does not declare under '{section}'{hint}");
            }
        }
    }

    private ComposePayload One(MapReader body, MappingEntry entry, string noun)
    {
        var (external, externalName) = ExternalReading.Read(body);
        var (file, variable) = (body.Text("file"), body.TextOrNumber("environment"));
        var content = noun == "config" ? body.TextOrNumber("content") : null;
        if (noun == "secret")
            body.Refuse("content", "does not work: what stands in a stack file is no secret; use 'file' or 'environment'");
        body.Refuse("driver", $"does not work: orch keeps the data of a {noun} itself; use 'file' or 'environment'");
        body.Refuse("driver_opts", $"does not work: orch keeps the data of a {noun} itself; use 'file' or 'environment'");
        var payload = new ComposePayload
        {
            Key = entry.Key,
            At = entry.At,
            External = external,
            Name = body.TextOrNumber("name") ?? externalName,
            Labels = body.Labels("labels"),
            TemplateDriver = body.OneOf("template_driver", "golang"),
        };
        body.Close();
        if (external)
        {
            ExternalReading.RefuseOthers(body, body.Subject);
            return payload;
        }
        string[] given = [.. ((string[])(noun == "config" ? ["file", "environment", "content"] : ["file", "environment"])).Where(k => body.Take(k) is not null)];
        if (given.Length == 0 && body.PlaceOf("content") is null)
            _problems.Add(entry.At, $"{body.Subject} has no data: give it {Ways(noun)}");
        else if (given.Length > 1)
            _problems.Add(entry.At, $"{body.Subject} has its data from {string.Join(" and ", given)}: one of them is enough");
        else
            return payload with { Data = Data(body, file, variable, content) };
        return payload;
    }

    private byte[]? Data(MapReader body, string? file, string? variable, string? content)
    {
        if (content is not null)
            return Encoding.UTF8.GetBytes(content);
        if (variable is not null)
        {
            if (context.Variable(variable) is { } value)
                return Encoding.UTF8.GetBytes(value);
            _problems.Add(body.Take("environment")!.At, $"{body.Subject}.environment: the variable {variable} is not set");
            return null;
        }
        if (file is null)
            return null;
        if (context.Inputs.ReadBytes(context.Absolute(file)) is { } bytes)
            return bytes;
        _problems.Add(body.Take("file")!.At, $"{body.Subject}.file: there is no file {context.Absolute(file)}");
        return null;
    }

    private static string Ways(string noun) => noun == "secret" ? "'file', 'environment' or 'external: true'" : "'file', 'environment', 'content' or 'external: true'";
}
