using Orchestrator.Cli.Compose.Merging;
using Orchestrator.Cli.Compose.Reading;
using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose;

/// <summary>Texts to a <see cref="ComposeFile"/>: parse, interpolate, merge, read; every problem of every step at once.</summary>
internal static class ComposeReader
{
    internal static ComposeResult Read(ComposeInputs inputs)
    {
        var problems = new ProblemList();
        string[] names = [.. inputs.Files.Select(f => f.Name)];
        var variables = Variables(inputs, problems);
        var interpolation = new Interpolation(variables, problems);

        MappingNode? merged = null;
        foreach (var file in inputs.Files)
        {
            if (ComposeYaml.Parse(file.Name, file.Text, problems) is not { } parsed)
                continue;
            var text = interpolation.Apply(parsed);
            merged = merged is null ? text : ComposeMerge.Merge(merged, text);
        }
        if (merged is null)
            return new ComposeResult(null, problems.InOrder(names), problems.Warnings);

        var source = ComposeMerge.Settle(merged);
        var read = new FileReading(new ReadingContext(inputs, variables, problems)).Read(source);
        return new ComposeResult(problems.Any ? null : read, problems.InOrder(names), problems.Warnings);
    }

    /// <summary>The environment, then <c>.env</c> beside the first file.</summary>
    private static Func<string, string?> Variables(ComposeInputs inputs, ProblemList problems)
    {
        var path = Path.Combine(inputs.Folder, ".env");
        var fromFile = new Dictionary<string, string>(StringComparer.Ordinal);
        if (inputs.ReadFile(path) is { } text)
        {
            foreach (var (name, value) in EnvFile.Parse(".env", text, n => inputs.Environment.GetValueOrDefault(n), problems))
            {
                if (value is not null)
                    fromFile[name] = value;
            }
        }
        return name => inputs.Environment.GetValueOrDefault(name) ?? fromFile.GetValueOrDefault(name);
    }
}
