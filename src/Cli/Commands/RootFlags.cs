using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Commands;

/// <summary>The options before the command's name: which daemon is meant. Commands may have options of the same names, which stand after theirs.</summary>
internal static class RootFlags
{
    internal static void AddTo(RootCommand root)
    {
        root.Options.Add(Flags.Text("--host", "Daemon to connect to (ORCH_HOST, DOCKER_HOST)", "unix://PATH|tcp://HOST:PORT", "-H"));
        root.Options.Add(Flags.Switch("--tlsverify", "Use TLS and verify the daemon: over TCP it is always so"));
        root.Options.Add(Flags.Text(TlsFiles.AuthorityFlag, "Trust certificates of this CA alone (ca.pem in ORCH_CERT_PATH, DOCKER_CERT_PATH or ~/.docker)", "file"));
        root.Options.Add(Flags.Text(TlsFiles.CertificateFlag, "Certificate to show to the daemon (cert.pem)", "file"));
        root.Options.Add(Flags.Text(TlsFiles.KeyFlag, "Its private key (key.pem)", "file"));
    }

    internal static EngineFlags Of(ParseResult parsed)
    {
        var options = parsed.RootCommandResult.Command.Options;
        return new EngineFlags(Text("--host"), Verify(), Text(TlsFiles.AuthorityFlag), Text(TlsFiles.CertificateFlag), Text(TlsFiles.KeyFlag));

        string? Text(string name) => options.OfType<Option<string?>>().FirstOrDefault(o => o.Name == name) is { } option ? parsed.GetValue(option) : null;

        bool? Verify() => options.OfType<Option<bool>>().FirstOrDefault(o => o.Name == "--tlsverify") is { } option && parsed.GetResult(option) is { Implicit: false }
            ? parsed.GetValue(option)
            : null;
    }
}
