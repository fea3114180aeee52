using System.Net;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>What <c>orch daemon</c> was told, as text; <see cref="Check"/> judges all of it at once.</summary>
internal sealed record DaemonOptions
{
    internal const string DefaultDataRoot = "/var/lib/orch";
    internal const string DefaultExecRoot = "/run/orch";

    /// <summary>The longest path a unix socket can have (unix(7), sun_path with its end).</summary>
    private const int LongestSocketPath = 107;

    /// <summary>State that outlives a boot.</summary>
    public string DataRoot { get; init; } = DefaultDataRoot;

    /// <summary>Sockets and state of this boot.</summary>
    public string ExecRoot { get; init; } = DefaultExecRoot;

    /// <summary>The server that keeps this host's journal while it is a manager, <c>postgres://…</c>; null: SQLite below the data root. It may hold a password.</summary>
    public string? Journal { get; init; }

    /// <summary>Where the API listens, each <c>unix://PATH</c> or <c>tcp://ADDRESS[:PORT]</c>; none: <c>orch.sock</c> in the exec root.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Clients over TCP show certificates; without it there is no TCP.</summary>
    public bool TlsVerify { get; init; }

    /// <summary>The file of the CA whose clients are let in.</summary>
    public string? TlsAuthority { get; init; }

    /// <summary>The file of the certificate shown to clients over TCP.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The file of its key.</summary>
    public string? TlsKey { get; init; }

    /// <summary>The cgroup below which the containers' stand.</summary>
    public string? CgroupParent { get; init; }

    /// <summary>Ranges for the networks of a cluster begun here without its own, each <c>base=10.0.0.0/8,size=24</c> or plain CIDR.</summary>
    public IReadOnlyList<string> DefaultAddressPools { get; init; } = [];

    /// <summary><c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c> or <c>fatal</c>.</summary>
    public string LogLevel { get; init; } = "info";

    /// <summary>The same as log level debug.</summary>
    public bool Debug { get; init; }

    /// <summary>The engine's labels, each <c>key=value</c>, for placement by <c>engine.labels</c>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whose subordinate ids containers have: <c>default</c>, <c>USER[:GROUP]</c> or <c>UID[:GID]</c>; null: the host's ids.</summary>
    public string? UsernsRemap { get; init; }

    /// <summary>The log driver of containers that name none.</summary>
    public string LogDriver { get; init; } = LogOptions.JsonFile;

    /// <summary>Its options, each <c>key=value</c>.</summary>
    public IReadOnlyList<string> LogOpts { get; init; } = [];

    /// <summary>Limits of containers that do not set them, each <c>name=soft[:hard]</c>.</summary>
    public IReadOnlyList<string> DefaultUlimits { get; init; } = [];

    /// <summary>The command that runs this binary, before <c>shim</c>; none: the running program.</summary>
    public IReadOnlyList<string>? Self { get; init; }

    /// <summary>The sockets' paths.</summary>
    internal IReadOnlyList<string> SocketPaths => Hosts.Count == 0
        ? [Path.Combine(ExecRoot, "orch.sock")]
        : [.. Hosts.Where(h => !ApiAddress.IsTcp(h)).Select(h => h["unix://".Length..])];

    /// <summary>Where the API listens over TCP.</summary>
    internal IReadOnlyList<IPEndPoint> TcpEndpoints => [.. Hosts.Where(ApiAddress.IsTcp).Select(h => ApiAddress.Listen(h, out _)).OfType<IPEndPoint>()];

    /// <summary>What TLS over TCP needs; null when the API does not listen there, or its files are not all named.</summary>
    internal TlsFiles? Tls => TlsVerify && Hosts.Any(ApiAddress.IsTcp) && (TlsAuthority, TlsCertificate, TlsKey) is ({ Length: > 0 } authority, { Length: > 0 } certificate, { Length: > 0 } key)
        ? new(authority, certificate, key)
        : null;

    internal LogConfig DefaultLog => new() { Type = LogDriver, Config = LogOpts.Select(o => o.Split('=', 2)).ToDictionary(o => o[0], o => o.Length > 1 ? o[1] : "", StringComparer.Ordinal) };

    internal IReadOnlyList<Ulimit> Ulimits => [.. DefaultUlimits.Select(u => Commands.Services.ServiceFlags.Ulimit(u))];

    internal LogLevel Level => Debug ? Microsoft.Extensions.Logging.LogLevel.Debug : LogLevel switch
    {
        "debug" => Microsoft.Extensions.Logging.LogLevel.Debug,
        "warn" => Microsoft.Extensions.Logging.LogLevel.Warning,
        "error" => Microsoft.Extensions.Logging.LogLevel.Error,
        "fatal" => Microsoft.Extensions.Logging.LogLevel.Critical,
        _ => Microsoft.Extensions.Logging.LogLevel.Information,
    };

    public override string ToString() => $"daemon of {DataRoot}";

    /// <summary>Everything that is wrong.</summary>
    internal IReadOnlyList<Problem> Check()
    {
        var problems = new List<Problem>();
        foreach (var (flag, path) in new[] { ("--data-root", DataRoot), ("--exec-root", ExecRoot) })
        {
            if (!Path.IsPathRooted(path))
                problems.Add(new Problem(flag, $"'{path}' must be an absolute path"));
        }

        if (Path.IsPathRooted(DataRoot) && Path.TrimEndingDirectorySeparator(DataRoot) == Path.TrimEndingDirectorySeparator(ExecRoot))
            problems.Add(new Problem("--exec-root", "must not be the data root: what it holds ends with the boot"));
        foreach (var host in Hosts)
        {
            if (CheckHost(host) is { } problem)
                problems.Add(new Problem("--host", problem));
        }

        CheckTls(problems);

        if (Hosts.Count == 0 && Path.Combine(ExecRoot, "orch.sock").Length > LongestSocketPath)
            problems.Add(new Problem("--exec-root", $"is too long: a socket's path has at most {LongestSocketPath} bytes"));
        if (CgroupParent is { } parent && (!parent.StartsWith('/') || parent.Split('/').Contains("..")))
            problems.Add(new Problem("--cgroup-parent", $"'{parent}' must be a path from the cgroup root, such as /orch"));
        foreach (var pool in DefaultAddressPools)
        {
            if (AddressPools.Parse(pool) is null)
                problems.Add(new Problem("--default-addr-pool", $"'{pool}' is not base=10.0.0.0/8,size=24"));
        }

        if (Journal is not null && !PostgresUri.TryRead(Journal, out _, out var misread))
            problems.AddRange(misread.Select(p => new Problem("--journal", p)));
        if (LogLevel is not ("debug" or "info" or "warn" or "error" or "fatal"))
            problems.Add(new Problem("--log-level", $"'{LogLevel}' is none of debug, info, warn, error, fatal"));
        CheckDefaults(problems);
        foreach (var label in Labels.Where(l => l.IndexOf('=', StringComparison.Ordinal) < 1))
            problems.Add(new Problem("--label", $"'{label}' is not key=value"));
        return problems;
    }

    /// <summary>What holds for containers that say nothing.</summary>
    private void CheckDefaults(List<Problem> problems)
    {
        var twice = LogOpts.Select(o => o.Split('=')[0]).GroupBy(o => o, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        problems.AddRange(twice.Select(o => new Problem("--log-opt", $"'{o}' is given twice")));
        if (LogDriver.Length == 0)
            problems.Add(new Problem("--log-driver", "no driver is named"));
        else if (twice.Count == 0)
            problems.AddRange(LogOptions.Check(LogDriver, DefaultLog.Config).Select(p => new Problem("--log-opt", p)));
        foreach (var limit in DefaultUlimits)
        {
            try
            {
                _ = Commands.Services.ServiceFlags.Ulimit(limit);
            }
            catch (Commands.CommandException bad)
            {
                problems.Add(new Problem("--default-ulimit", bad.Message));
            }
        }
        var known = new List<Problem>();
        if (!problems.Exists(p => p.Where == "--default-ulimit"))
            Worker.Containers.Plan.ResourcePlan.CheckUlimits(Ulimits, "--default-ulimit", known);
        problems.AddRange(known);
    }

    /// <summary>Whether TCP is asked for with everything it needs, and nothing of it without TCP.</summary>
    private void CheckTls(List<Problem> problems)
    {
        (string Flag, string? File, string What)[] files =
        [
            (TlsFiles.AuthorityFlag, TlsAuthority, "the CA whose clients are let in"),
            (TlsFiles.CertificateFlag, TlsCertificate, "the certificate that clients are shown"),
            (TlsFiles.KeyFlag, TlsKey, "the key of the certificate that clients are shown"),
        ];
        if (!Hosts.Any(ApiAddress.IsTcp))
        {
            if (TlsVerify)
                problems.Add(new Problem("--tlsverify", "is for clients over TCP, and no --host is tcp://ADDRESS"));
            problems.AddRange(files.Where(f => f.File is not null).Select(f => new Problem(f.Flag, "is for clients over TCP, and no --host is tcp://ADDRESS")));
        }
        else if (TlsVerify)
        {
            problems.AddRange(files.Where(f => f.File is null or "").Select(f => new Problem(f.Flag, $"is missing: it names the file of {f.What}")));
        }
    }

    private string? CheckHost(string host)
    {
        if (ApiAddress.IsTcp(host))
        {
            if (ApiAddress.Listen(host, out var misread) is null)
                return $"'{host}' {misread}";
            return TlsVerify ? null
                : $"'{host}' is refused without --tlsverify: whoever reaches the API has this machine, so over TCP clients prove themselves by a certificate (TLS 1.3). Add --tlsverify --tlscacert CA --tlscert CERTIFICATE --tlskey KEY";
        }

        if (!host.StartsWith("unix://", StringComparison.Ordinal))
            return $"'{host}' is neither unix://PATH nor tcp://ADDRESS:PORT";
        var path = host["unix://".Length..];
        return !Path.IsPathRooted(path) ? $"'{host}': the socket's path must be absolute"
            : path.Length > LongestSocketPath ? $"'{host}': a socket's path has at most {LongestSocketPath} bytes"
            : null;
    }
}
