using System.CommandLine;
using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Commands.Daemons;

/// <summary><c>orch daemon</c>: its flags; what it does is in <see cref="DaemonHost"/>.</summary>
internal static class DaemonCommand
{
    internal static Command Create(Shell shell)
    {
        var dataRoot = Flags.Text("--data-root", $"State that outlives a boot (default {DaemonOptions.DefaultDataRoot})", "path");
        var execRoot = Flags.Text("--exec-root", $"Sockets and state of this boot (default {DaemonOptions.DefaultExecRoot})", "path");
        var host = Flags.List("--host", "Where the API listens, unix://PATH or tcp://ADDRESS:PORT (default: orch.sock in the exec root)", "list", "-H");
        var verify = Flags.Switch("--tlsverify", "Clients over TCP prove themselves by a certificate (TLS 1.3); there is no TCP without it");
        var authority = Flags.Text(TlsFiles.AuthorityFlag, "The CA whose clients are let in over TCP", "file");
        var certificate = Flags.Text(TlsFiles.CertificateFlag, "The certificate that clients over TCP are shown", "file");
        var key = Flags.Text(TlsFiles.KeyFlag, "Its private key", "file");
        var journal = Flags.Text("--journal", "Where a manager keeps its journal: postgres://USER@HOST/DATABASE (default: SQLite below the data root)", "uri");
        var cgroup = Flags.Text("--cgroup-parent", "The cgroup below which the containers' stand");
        var pools = Flags.List("--default-addr-pool", "Ranges for the networks of a cluster begun here (base=10.0.0.0/8,size=24)", "pool");
        var level = Flags.Text("--log-level", "Set the logging level (debug, info, warn, error, fatal)", "string", "-l");
        var debug = Flags.Switch("--debug", "Enable debug mode", "-D");
        var labels = Flags.List("--label", "Set key=value labels to the daemon", "list");
        var remap = Flags.Text("--userns-remap", "User/group whose subordinate ids containers have (default, user[:group] or uid[:gid])", "string");
        var logDriver = Flags.Text("--log-driver", "Default driver for container logs (json-file, local, none)");
        var logOpts = Flags.List("--log-opt", "Default log driver options for containers", "list");
        var ulimits = Flags.List("--default-ulimit", "Default ulimits for containers", "ulimit");
        return new Command("daemon", "Run the daemon: engine, agent and manager of this host").Does(
            shell, [dataRoot, execRoot, host, verify, authority, certificate, key, journal, cgroup, pools, level, debug, labels, remap, logDriver, logOpts, ulimits], (call, stop) => DaemonHost.RunAsync(
                new DaemonOptions
                {
                    DataRoot = call.Get(dataRoot) ?? DaemonOptions.DefaultDataRoot,
                    ExecRoot = call.Get(execRoot) ?? DaemonOptions.DefaultExecRoot,
                    Hosts = call.Get(host) ?? [],
                    TlsVerify = call.Get(verify),
                    TlsAuthority = call.Get(authority),
                    TlsCertificate = call.Get(certificate),
                    TlsKey = call.Get(key),
                    Journal = call.Get(journal),
                    CgroupParent = call.Get(cgroup),
                    DefaultAddressPools = call.Get(pools) ?? [],
                    LogLevel = call.Get(level) ?? "info",
                    Debug = call.Get(debug),
                    Labels = call.Get(labels) ?? [],
                    UsernsRemap = call.Get(remap),
                    LogDriver = call.Get(logDriver) ?? LogOptions.JsonFile,
                    LogOpts = call.Get(logOpts) ?? [],
                    DefaultUlimits = call.Get(ulimits) ?? [],
                },
                stop));
    }
}
