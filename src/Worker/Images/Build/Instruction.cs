using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Build;

/// <summary>One instruction of a Dockerfile as written, before substitution.</summary>
internal sealed record Instruction
{
    /// <summary>First line, counted from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Upper case, <c>COPY</c>.</summary>
    public required string Keyword { get; init; }

    /// <summary>The whole instruction on one line, as progress shows it.</summary>
    public required string Text { get; init; }

    /// <summary><c>--name=value</c> in front of the arguments.</summary>
    public ImmutableSortedDictionary<string, string> Flags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What follows keyword and flags.</summary>
    public string Rest { get; init; } = "";

    /// <summary>The arguments when <see cref="Rest"/> is a JSON array of strings.</summary>
    public ImmutableArray<string>? Exec { get; init; }
}

/// <summary>A mistake in a Dockerfile.</summary>
internal sealed record DockerfileProblem(int Line, string Message);

/// <summary>A Dockerfile read; it can be built when there are no problems.</summary>
internal sealed record Dockerfile(ImmutableArray<Instruction> Instructions, ImmutableArray<DockerfileProblem> Problems, char Escape);

/// <summary>From one FROM to the next.</summary>
/// <param name="Index">Its number from 0, by which COPY --from may name it.</param>
/// <param name="Name">The lower-case name after AS.</param>
/// <param name="From">The FROM.</param>
/// <param name="Steps">What follows it.</param>
internal sealed record Stage(int Index, string? Name, Instruction From, ImmutableArray<Instruction> Steps);
