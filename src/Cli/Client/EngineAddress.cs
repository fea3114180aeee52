namespace Orchestrator.Cli.Client;

/// <summary>Where the daemon listens, and which of flag, variable or default said so.</summary>
/// <param name="Path">The unix socket's path.</param>
/// <param name="ChosenBy">As a person would write it: <c>-H</c>, <c>ORCH_HOST</c>, <c>DOCKER_HOST</c> or <c>default</c>.</param>
internal sealed record EngineAddress(string Path, string ChosenBy)
{
    internal const string DefaultPath = "/run/orch/orch.sock";

    internal string Url => $"unix://{Path}";

    /// <summary>The flag, then ORCH_HOST, then DOCKER_HOST, then the default socket.</summary>
    /// <exception cref="EngineUnreachableException">The text is not an address that this client can use.</exception>
    internal static EngineAddress Find(string? flag, IReadOnlyDictionary<string, string> environment)
    {
        if (!string.IsNullOrEmpty(flag))
            return Parse(flag, "-H");
        foreach (var variable in (string[])["ORCH_HOST", "DOCKER_HOST"])
        {
            if (environment.TryGetValue(variable, out var value) && value.Length > 0)
                return Parse(value, variable);
        }
        return new EngineAddress(DefaultPath, "default");
    }

    private static EngineAddress Parse(string text, string chosenBy)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal))
            return new EngineAddress(text["unix://".Length..], chosenBy);
        if (text.StartsWith('/'))
            return new EngineAddress(text, chosenBy);
        throw new EngineUnreachableException(text.StartsWith("tcp://", StringComparison.Ordinal)
            ? $"{chosenBy} is {text}: TCP without TLS is refused, since whoever can reach the port would own the host; TLS comes with a later version. Use a unix:// socket"
            : $"{chosenBy} is '{text}', which is not an address: write unix:///PATH");
    }
}
