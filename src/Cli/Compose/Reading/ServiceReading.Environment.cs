using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>The variables of a service: its files first, what the stack file itself says over them.</summary>
internal sealed partial class ServiceReading
{
    private Dictionary<string, string> Environment(MapReader body)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, required, at) in EnvFiles(body))
        {
            if (context.Inputs.ReadFile(context.Absolute(path)) is { } text)
            {
                foreach (var (name, value) in EnvFile.Parse(path, text, context.Variable, _problems))
                    Set(environment, name, value);
            }
            else if (required)
            {
                _problems.Add(at, $"{body.Subject}.env_file: there is no file {context.Absolute(path)}");
            }
        }
        foreach (var pair in body.Pairs("environment"))
        {
            if (pair.Name.Length == 0)
                _problems.Add(pair.At, $"{body.Subject}.environment holds a pair without a name");
            else
                Set(environment, pair.Name, pair.Value, explicitly: body.Take("environment") is MappingNode, pair.At, body.Subject);
        }
        return environment;
    }

    private void Set(Dictionary<string, string> environment, string name, string? value)
    {
        if ((value ?? context.Variable(name)) is { } text)
            environment[name] = text;
    }

    /// <summary>A name alone is taken from the environment, and left out when it is not set there.</summary>
    private void Set(Dictionary<string, string> environment, string name, string? value, bool explicitly, Place at, string subject)
    {
        if (name.Any(char.IsWhiteSpace) && !explicitly)
            _problems.Add(at, $"{subject}.environment: '{name}' cannot name a variable: write NAME=value");
        else
            Set(environment, name, value);
    }

    private List<(string Path, bool Required, Place At)> EnvFiles(MapReader body)
    {
        var files = new List<(string, bool, Place)>();
        var node = body.Take("env_file");
        foreach (var item in node is SequenceNode list ? [.. list.Items] : node is null ? [] : (ComposeNode[])[node])
        {
            switch (item)
            {
                case ScalarNode { IsNull: false } path:
                    files.Add((path.Text, true, path.At));
                    break;
                case MappingNode map:
                    var form = new MapReader(map, $"{body.Subject}.env_file", _problems);
                    var required = form.Flag("required") ?? true;
                    form.Refuse("format", "does not work: env files are lines of NAME=value");
                    if (form.Text("path") is { } text)
                        files.Add((text, required, map.At));
                    else if (form.PlaceOf("path") is null)
                        _problems.Add(map.At, $"{body.Subject}.env_file needs a 'path'");
                    form.Close();
                    break;
                default:
                    body.Wrong(item, "env_file", "a path or a list of paths");
                    break;
            }
        }
        return files;
    }

    private ComposeBuild? ReadBuild(MapReader body)
    {
        switch (body.Take("build"))
        {
            case null:
                return null;
            case ScalarNode scalar:
                return Context(scalar.Text, scalar.At) is { } folder ? new ComposeBuild { Context = folder, At = scalar.At } : null;
            case MappingNode:
                var map = body.Map("build")!;
                foreach (var key in (string[])["additional_contexts", "cache_from", "cache_to", "dockerfile_inline", "entitlements", "extra_hosts",
                    "isolation", "network", "platforms", "privileged", "provenance", "pull", "sbom", "secrets", "shm_size", "ssh", "ulimits"])
                {
                    map.Refuse(key, "does not work yet");
                }
                var path = Context(map.Text("context") ?? ".", map.Take("context")?.At ?? map.At);
                var build = new ComposeBuild
                {
                    Context = path ?? "",
                    At = map.At,
                    Dockerfile = map.Text("dockerfile"),
                    Args = BuildArgs(map),
                    Labels = map.Labels("labels"),
                    Target = map.Text("target"),
                    NoCache = map.Flag("no_cache") ?? false,
                    Tags = map.Texts("tags"),
                };
                map.Close();
                return path is null ? null : build;
            case var node:
                body.Wrong(node, "build", "a folder or a mapping");
                return null;
        }
    }

    private Dictionary<string, string> BuildArgs(MapReader map)
    {
        var args = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in map.Pairs("args"))
            Set(args, pair.Name, pair.Value);
        return args;
    }

    private string? Context(string text, Place at)
    {
        if (!text.Contains("://", StringComparison.Ordinal) && !text.StartsWith("git@", StringComparison.Ordinal))
            return context.Absolute(text);
        _problems.Add(at, $"services.{entry.Key}.build: '{text}' is not a folder of this host: other contexts do not work yet");
        return null;
    }
}
