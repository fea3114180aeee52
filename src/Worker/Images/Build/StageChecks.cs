using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Mistakes in how instructions stand together, and the division into stages.</summary>
internal static class StageChecks
{
    internal static void Check(IReadOnlyList<Instruction> instructions, ImmutableArray<DockerfileProblem>.Builder problems)
    {
        if (instructions.Count == 0 && problems.Count == 0)
            problems.Add(new(1, "the Dockerfile has no instructions"));
        var from = instructions.FirstOrDefault(i => i.Keyword == "FROM");
        if (from is null && instructions.Count > 0)
            problems.Add(new(instructions[0].Line, "no build stage: a Dockerfile begins with FROM"));
        foreach (var early in instructions.TakeWhile(i => i != from).Where(i => i.Keyword != "ARG" && from is not null))
            problems.Add(new(early.Line, $"{early.Keyword} before the first FROM (only ARG may stand there)"));
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var instruction in instructions.Where(i => i.Keyword == "FROM"))
        {
            var words = Words.Split(instruction.Rest);
            if (words.Count is not (1 or 3) || (words.Count == 3 && !words[1].Equals("AS", StringComparison.OrdinalIgnoreCase)))
                problems.Add(new(instruction.Line, "FROM requires an image, or an image AS a name"));
            else if (words.Count == 3 && !IsStageName(words[2]))
                problems.Add(new(instruction.Line, $"invalid name for a build stage: \"{words[2]}\" (a letter first, then letters, digits, _ . -)"));
            else if (words.Count == 3 && !names.Add(words[2]))
                problems.Add(new(instruction.Line, $"two stages are named {words[2]}"));
        }
    }

    /// <summary>The ARGs before the first FROM, and the stages.</summary>
    internal static (ImmutableArray<Instruction> Globals, ImmutableArray<Stage> Stages) Divide(ImmutableArray<Instruction> instructions)
    {
        var stages = ImmutableArray.CreateBuilder<Stage>();
        var globals = instructions.TakeWhile(i => i.Keyword != "FROM").ToImmutableArray();
        for (var i = globals.Length; i < instructions.Length;)
        {
            var steps = instructions.Skip(i + 1).TakeWhile(s => s.Keyword != "FROM").ToImmutableArray();
            var words = Words.Split(instructions[i].Rest);
            stages.Add(new(stages.Count, words.Count == 3 ? words[2].ToLowerInvariant() : null, instructions[i], steps));
            i += 1 + steps.Length;
        }
        return (globals, stages.ToImmutable());
    }

    private static bool IsStageName(string name) =>
        char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
