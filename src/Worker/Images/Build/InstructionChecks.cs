using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Mistakes that one instruction shows by itself.</summary>
internal static class InstructionChecks
{
    private static readonly Dictionary<string, string[]> _flags = new(StringComparer.Ordinal)
    {
        ["COPY"] = ["from", "chown", "chmod"],
        ["ADD"] = ["chown", "chmod"],
        ["FROM"] = ["platform"],
        ["HEALTHCHECK"] = ["interval", "timeout", "start-period", "start-interval", "retries"],
    };

    private static readonly HashSet<string> _laterFlags =
        ["RUN --mount", "RUN --network", "RUN --security", "RUN --device", "COPY --link", "COPY --parents", "COPY --exclude",
         "ADD --link", "ADD --checksum", "ADD --keep-git-dir", "ADD --exclude", "ADD --unpack"];

    internal static void Check(Instruction instruction, char escape, ImmutableArray<DockerfileProblem>.Builder problems)
    {
        void Say(string message) => problems.Add(new(instruction.Line, message));
        foreach (var flag in instruction.Flags.Keys)
        {
            if (_laterFlags.Contains($"{instruction.Keyword} --{flag}"))
                Say($"{instruction.Keyword} --{flag} is not supported yet");
            else if (!_flags.TryGetValue(instruction.Keyword, out var known) || !known.Contains(flag))
                Say($"unknown flag: {instruction.Keyword} --{flag}");
        }
        if (instruction.Rest.Length == 0)
        {
            Say($"{instruction.Keyword} requires {(instruction.Keyword is "ADD" or "COPY" ? "at least two arguments" : "an argument")}");
            return;
        }
        if (instruction.Keyword is "RUN" or "COPY" or "ADD" && HasHeredoc(instruction.Rest))
            Say($"here-documents (<<) in {instruction.Keyword} are not supported; write the lines with && and continuations");
        switch (instruction.Keyword)
        {
            case "ADD" or "COPY":
                CheckCopy(instruction, Say);
                break;
            case "ENV" or "LABEL":
                if (KeyValues.Problem(instruction, escape) is { } problem)
                    Say(problem);
                break;
            case "SHELL" when instruction.Exec is null or { Length: 0 }:
                Say("SHELL requires the arguments in JSON form: SHELL [\"/bin/sh\", \"-c\"]");
                break;
            case "EXPOSE":
                foreach (var port in Words.Split(instruction.Rest).Where(p => !p.Contains('$') && ConfigChanges.Ports(p) is null))
                    Say($"invalid port: {port} (a number from 1 to 65535 or a range, with /tcp, /udp or /sctp)");
                break;
            case "HEALTHCHECK":
                if (ConfigChanges.HealthcheckProblem(instruction) is { } wrong)
                    Say(wrong);
                break;
            case "USER" or "STOPSIGNAL" when Words.Split(instruction.Rest).Count != 1:
                Say($"{instruction.Keyword} requires exactly one argument");
                break;
            default:
                break;
        }
    }

    private static void CheckCopy(Instruction instruction, Action<string> say)
    {
        var arguments = CopyArguments(instruction);
        if (arguments.Length < 2)
            say($"{instruction.Keyword} requires at least two arguments, but only one was provided. Destination could not be determined");
        else if (arguments.Length > 2 && !arguments[^1].EndsWith('/') && !arguments[^1].Contains('$'))
            say($"when using {instruction.Keyword} with more than one source file, the destination must be a directory and end with a /");
        foreach (var url in arguments.SkipLast(1).Where(IsUrl))
        {
            say(instruction.Keyword == "ADD"
                ? $"ADD of a URL is not supported ({url}): download it in a RUN step or into the build context"
                : $"COPY takes no URL ({url})");
        }
        if (instruction.Flags.TryGetValue("chmod", out var mode) && !mode.Contains('$') && CopySelection.Mode(mode) is null)
            say($"invalid --chmod={mode}: an octal mode is needed, such as 0755");
    }

    internal static ImmutableArray<string> CopyArguments(Instruction instruction) => instruction.Exec ?? [.. Words.Split(instruction.Rest)];

    private static bool IsUrl(string source) =>
        source.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || source.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
        || source.StartsWith("git@", StringComparison.Ordinal) || source.StartsWith("git://", StringComparison.Ordinal);

    private static bool HasHeredoc(string rest)
    {
        var at = rest.IndexOf("<<", StringComparison.Ordinal);
        if (at < 0 || (at > 0 && rest[at - 1] == '<') || at + 2 >= rest.Length)
            return false;
        var next = rest[at + 2] == '-' && at + 3 < rest.Length ? rest[at + 3] : rest[at + 2];
        return char.IsAsciiLetter(next) || next is '_' or '"' or '\'';
    }
}
