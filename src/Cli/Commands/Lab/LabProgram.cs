using System.Collections.Immutable;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>This very binary, and what surrounds it, inside a host.</summary>
internal static class LabProgram
{
    /// <summary>Would lead a host's orch or docker to another host's daemon.</summary>
    private static readonly string[] Addresses = ["ORCH_HOST", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

    /// <summary>The words that run it.</summary>
    internal static string[] Self()
    {
        var self = System.Environment.ProcessPath ?? throw new CommandException("the running program's path is not known");
        return Path.GetFileNameWithoutExtension(self) == "dotnet" ? [self, Path.Combine(AppContext.BaseDirectory, "orch.dll")] : [self];
    }

    /// <summary>The caller's variables, with <c>orch</c> on the path and no daemon named: a host's own is found by default.</summary>
    internal static ImmutableArray<string> Environment(IReadOnlyDictionary<string, string> callers)
    {
        var path = callers.GetValueOrDefault("PATH") is { Length: > 0 } given ? given : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        return
        [
            .. callers.Where(v => v.Key != "PATH" && !Addresses.Contains(v.Key)).OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}"),
            $"PATH={Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)}:{path}",
        ];
    }
}
