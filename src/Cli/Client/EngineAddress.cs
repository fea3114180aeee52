using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Client;

/// <summary>Where the daemon listens, and which of flag, variable or default said so.</summary>
/// <param name="Path">The unix socket's path; empty when it is TCP.</param>
/// <param name="ChosenBy">As a person would write it: <c>-H</c>, <c>ORCH_HOST</c>, <c>DOCKER_HOST</c> or <c>default</c>.</param>
internal sealed record EngineAddress(string Path, string ChosenBy)
{
    internal const string DefaultPath = "/run/orch/orch.sock";

    /// <summary>Host, port and files of a daemon over TCP; null: a unix socket.</summary>
    internal EngineTcp? Tcp { get; init; }

    internal string Url => Tcp is { } tcp ? $"tcp://{(tcp.Host.Contains(':', StringComparison.Ordinal) ? $"[{tcp.Host}]" : tcp.Host)}:{tcp.Port}" : $"unix://{Path}";

    /// <summary>The flag, then ORCH_HOST, then DOCKER_HOST, then the default socket.</summary>
    /// <exception cref="EngineUnreachableException">The text is not an address that this client can use.</exception>
    internal static EngineAddress Find(EngineFlags flags, IReadOnlyDictionary<string, string> environment)
    {
        if (!string.IsNullOrEmpty(flags.Host))
            return Parse(flags.Host, "-H", flags, environment);
        foreach (var variable in (string[])["ORCH_HOST", "DOCKER_HOST"])
        {
            if (environment.TryGetValue(variable, out var value) && value.Length > 0)
                return Parse(value, variable, flags, environment);
        }

        return Socket(DefaultPath, "default", flags);
    }

    private static EngineAddress Parse(string text, string chosenBy, EngineFlags flags, IReadOnlyDictionary<string, string> environment)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal))
            return Socket(text["unix://".Length..], chosenBy, flags);
        if (text.StartsWith('/'))
            return Socket(text, chosenBy, flags);
        if (!ApiAddress.IsTcp(text))
            throw new EngineUnreachableException($"{chosenBy} is '{text}', which is not an address: write unix:///PATH or tcp://HOST:PORT");
        if (ApiAddress.Parse(text, out var misread) is not { } place)
            throw new EngineUnreachableException($"{chosenBy} is '{text}', which {misread}");
        if (flags.Verify == false)
            throw new EngineUnreachableException("--tlsverify=false is refused: over TCP the daemon proves itself by its certificate, since whoever answers in its place would hear every secret");
        return new EngineAddress("", chosenBy) { Tcp = new EngineTcp(place.Host, place.Port, Files(flags, environment)) };
    }

    /// <summary>Docker's places: a flag for each file, else a folder of the three under their usual names.</summary>
    private static TlsFiles Files(EngineFlags flags, IReadOnlyDictionary<string, string> environment)
    {
        var folder = Set("ORCH_CERT_PATH") ?? Set("DOCKER_CERT_PATH") ?? System.IO.Path.Combine(Set("HOME") ?? "/", ".docker");
        return new TlsFiles(
            flags.Authority ?? System.IO.Path.Combine(folder, "ca.pem"),
            flags.Certificate ?? System.IO.Path.Combine(folder, "cert.pem"),
            flags.Key ?? System.IO.Path.Combine(folder, "key.pem"));

        string? Set(string variable) => environment.GetValueOrDefault(variable) is { Length: > 0 } value ? value : null;
    }

    private static EngineAddress Socket(string path, string chosenBy, EngineFlags flags)
    {
        (string Flag, bool Given)[] given =
        [
            ("--tlsverify", flags.Verify == true), (TlsFiles.AuthorityFlag, flags.Authority is not null),
            (TlsFiles.CertificateFlag, flags.Certificate is not null), (TlsFiles.KeyFlag, flags.Key is not null),
        ];
        var idle = given.Where(g => g.Given).Select(g => g.Flag).ToList();
        return idle.Count == 0
            ? new EngineAddress(path, chosenBy)
            : throw new EngineUnreachableException($"{string.Join(", ", idle)}: for a daemon over TCP, and unix://{path} is a socket of this host; name the daemon with -H tcp://HOST:PORT");
    }
}

/// <summary>A daemon over TCP, which is always TLS on both sides.</summary>
internal sealed record EngineTcp(string Host, int Port, TlsFiles Files);

/// <summary>What the command line says about where the daemon is.</summary>
/// <param name="Host">Its address.</param>
/// <param name="Verify">Null: nothing was said. Over TCP nothing else than true is possible.</param>
/// <param name="Authority">The file of the CA of the daemon's certificate.</param>
/// <param name="Certificate">The file of the client's.</param>
/// <param name="Key">The file of its key.</param>
internal sealed record EngineFlags(string? Host, bool? Verify = null, string? Authority = null, string? Certificate = null, string? Key = null);
