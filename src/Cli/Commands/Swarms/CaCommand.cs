using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm ca</c></summary>
internal static class CaCommand
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    internal static Command Create(Shell shell)
    {
        var rotate = Flags.Switch("--rotate", "Rotate the swarm CA - if no certificate or key are provided, new ones will be generated");
        var certificate = Flags.Text("--ca-cert", "Path to the PEM-formatted root CA certificate to use for the new cluster", "pem-file");
        var key = Flags.Text("--ca-key", "Path to the PEM-formatted root CA key to use for the new cluster", "pem-file");
        var expiry = Flags.Text("--cert-expiry", "Validity period for node certificates (ns|us|ms|s|m|h)", "duration");
        var external = Flags.Text("--external-ca", "Specifications of one or more certificate signing endpoints", "external-ca");
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the root rotation to converge", "-d");
        var quiet = Flags.Quiet("Suppress progress output");
        return new Command("ca", "Display and rotate the root CA").Does(shell, [rotate, certificate, key, expiry, external, detach, quiet], async (call, stop) =>
        {
            if (call.Has(external))
                throw new CommandException("--external-ca is not supported: managers issue their nodes' certificates themselves; to use a root of your own, give --ca-cert and --ca-key");
            var given = new Option[] { certificate, key, expiry, detach }.Where(call.Has).Select(o => o.Name).ToList();
            if (!call.Get(rotate))
            {
                if (given.Count > 0)
                    throw new CommandException(string.Join('\n', given.Select(name => $"{name} is only for --rotate")));
                await call.Shell.Out.WriteLineAsync((await RootAsync(call, stop)).Trim());
                return 0;
            }

            if (call.Has(certificate) != call.Has(key))
                throw new CommandException("--ca-cert and --ca-key belong together: the cluster issues its nodes' certificates with the key");
            var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
            var ca = swarm.Spec.CaConfig;
            ca = call.Get(certificate) is { } file
                ? ca with { SigningCaCert = await File.ReadAllTextAsync(file, stop), SigningCaKey = await File.ReadAllTextAsync(call.Get(key)!, stop) }
                : ca with { SigningCaCert = null, SigningCaKey = null, ForceRotate = ca.ForceRotate + 1 };
            if (Services.ServiceFlags.Parse(call, expiry, Compose.Values.Durations.Parse) is { } validity)
                ca = ca with { NodeCertExpiry = validity };
            await call.Client.SendAsync(
                HttpMethod.Post, EngineClient.Query("/swarm/update", ("version", $"{swarm.Version.Index}")), swarm.Spec with { CaConfig = ca }, stop);
            if (call.Get(detach))
                return 0;
            await FollowAsync(call, call.Get(quiet), stop);
            await call.Shell.Out.WriteLineAsync((await RootAsync(call, stop)).Trim());
            return 0;
        });
    }

    private static async Task<string> RootAsync(Invocation call, CancellationToken stop) =>
        (await call.Client.GetAsync<Swarm>("/swarm", stop)).TlsInfo?.TrustRoot ?? throw new CommandException("this swarm has no CA yet");

    /// <summary>Tells how many nodes went over, a line whenever that changes, until the former root is trusted no more.</summary>
    private static async Task FollowAsync(Invocation call, bool quiet, CancellationToken stop)
    {
        var told = "";
        while (true)
        {
            var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
            var nodes = await call.Client.GetAsync<IReadOnlyList<Node>>("/nodes", stop);
            var certificates = nodes.Count(n => Issuer(n.Description?.TlsInfo) == Issuer(swarm.TlsInfo));
            var roots = nodes.Count(n => n.Description?.TlsInfo?.TrustRoot == swarm.TlsInfo?.TrustRoot);
            var progress = string.Create(CultureInfo.InvariantCulture, $"rotated TLS certificates: {certificates}/{nodes.Count} nodes; rotated CA certificates: {roots}/{nodes.Count} nodes");
            var waits = string.Join(", ", nodes.Where(n => n.Status.State == NodeState.Down && Issuer(n.Description?.TlsInfo) != Issuer(swarm.TlsInfo)).Select(n => n.Description?.Hostname ?? n.Id.Value));
            if (waits.Length > 0)
                progress += $"; waits for nodes that are down ({waits}): start them, or remove them with \"orch node rm --force\"";
            if (!quiet && progress != told)
            {
                await call.Shell.Out.WriteLineAsync(progress);
                await call.Shell.Out.FlushAsync(stop);
            }

            told = progress;
            if (!swarm.RootRotationInProgress && certificates == nodes.Count && roots == nodes.Count)
                return;
            await Task.Delay(Look, call.Shell.Time, stop);
        }
    }

    private static (string?, string?) Issuer(TlsInfo? tls) => (tls?.CertIssuerSubject, tls?.CertIssuerPublicKey);
}
