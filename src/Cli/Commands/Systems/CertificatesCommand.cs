using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary>
/// <c>orch system certificates</c>: a CA of the operator's own in a folder, and below it what a daemon and its clients need for the Engine API over
/// TCP, under docker's names. It is not the cluster's CA, whose certificates every node has.
/// </summary>
internal static partial class CertificatesCommand
{
    private const string Server = "server";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    internal static Command Create(Shell shell)
    {
        var folder = Flags.One("FOLDER");
        var hosts = Flags.List("--host", "A name or address that clients reach the daemon by", "name");
        var clients = Flags.List("--client", "Somebody who may use the daemon", "name");
        var days = new Option<int>("--days") { Description = "How long certificates are valid (default 365)", HelpName = "days", DefaultValueFactory = _ => 365 };
        return new Command("certificates", "Make certificates for the Engine API over TCP: a CA, a daemon's, clients'").Does(
            shell, [folder, hosts, clients, days],
            (call, _) => MakeAsync(shell, Path.GetFullPath(call.Get(folder), shell.Folder), call.Get(hosts) ?? [], call.Get(clients) ?? [], call.Get(days)));
    }

    /// <summary>Everything that is wrong, before anything is made.</summary>
    internal static IReadOnlyList<Problem> Check(string folder, IReadOnlyList<string> hosts, IReadOnlyList<string> clients, int days)
    {
        var problems = new List<Problem>();
        if (hosts.Count == 0 && clients.Count == 0)
            problems.Add(new("", "say for whom: --host NAME for the daemon, --client NAME for who uses it; both may be given again and again"));
        problems.AddRange(hosts.Where(h => Uri.CheckHostName(h.Trim('[', ']')) == UriHostNameType.Unknown).Select(h => new Problem("--host", $"'{h}' is neither a name nor an address, without scheme and port")));
        problems.AddRange(clients.Where(c => c == Server || !Plain().IsMatch(c)).Select(c => new Problem("--client", $"'{c}' becomes a folder beside '{Server}': write letters, digits, '-', '_' and '.'")));
        problems.AddRange(clients.GroupBy(c => c, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => new Problem("--client", $"'{g.Key}' is given twice")));
        if (days is < 1 or > 3650)
            problems.Add(new("--days", $"{days.ToString(CultureInfo.InvariantCulture)} is none of 1 to 3650"));
        foreach (var (flag, name) in clients.Select(c => ("--client", c)).Concat(hosts.Count > 0 ? [("--host", Server)] : []))
        {
            if (Directory.Exists(Path.Combine(folder, name)))
                problems.Add(new(flag, $"{Path.Combine(folder, name)} is there: remove it first if it is to be made anew"));
        }

        var (root, key) = (File.Exists(RootPath(folder)), File.Exists(KeyPath(folder)));
        if (root != key)
            problems.Add(new("FOLDER", $"{(root ? KeyPath(folder) : RootPath(folder))} is missing beside the other half of the CA: bring it back, or begin in another folder"));
        return problems;
    }

    private static async Task<int> MakeAsync(Shell shell, string folder, string[] hosts, string[] clients, int days)
    {
        var problems = Check(folder, hosts, clients, days);
        if (problems.Count > 0)
            throw new CommandException(string.Join('\n', problems));
        var now = shell.Time.GetUtcNow();
        Directory.CreateDirectory(folder);
        var authority = Authority(folder, now);
        if (hosts.Length > 0)
        {
            Issue(authority, Path.Combine(folder, Server), "orch-daemon", [.. hosts.Select(h => h.Trim('[', ']'))], now, days);
            await shell.Out.WriteLineAsync($"For the daemon:  orch daemon -H tcp://0.0.0.0 --tlsverify --tlscacert {folder}/{Server}/ca.pem --tlscert {folder}/{Server}/cert.pem --tlskey {folder}/{Server}/key.pem");
        }

        foreach (var client in clients)
        {
            Issue(authority, Path.Combine(folder, client), client, [], now, days);
            await shell.Out.WriteLineAsync($"For {client}:  export DOCKER_HOST=tcp://{(hosts.Length > 0 ? hosts[0] : "HOST")}:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH={folder}/{client}");
        }

        await shell.Out.WriteLineAsync($"Keep {KeyPath(folder)} to yourself: whoever has it is root on that daemon's host.");
        return 0;
    }

    private static CertificateAuthority Authority(string folder, DateTimeOffset now)
    {
        if (File.Exists(KeyPath(folder)))
        {
            try
            {
                return CertificateAuthority.FromPem(File.ReadAllText(RootPath(folder)), File.ReadAllText(KeyPath(folder)));
            }
            catch (CryptographicException unusable)
            {
                throw new CommandException($"the CA in {folder} can't be used: {unusable.Message}");
            }
        }

        var authority = CertificateAuthority.Create(now, "orch-api-ca");
        Write(KeyPath(folder), authority.KeyPem + "\n", OwnerOnly);
        Write(RootPath(folder), authority.CertificatePem + "\n", OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return authority;
    }

    private static void Issue(CertificateAuthority authority, string folder, string name, IReadOnlyList<string> hosts, DateTimeOffset now, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = authority.IssueFor(name, key, hosts, now, TimeSpan.FromDays(days));
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        Write(Path.Combine(folder, "ca.pem"), authority.CertificatePem + "\n", OwnerOnly);
        Write(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem() + "\n", OwnerOnly);
        Write(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem() + "\n", OwnerOnly);
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        using var file = new StreamWriter(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
        file.Write(text);
    }

    private static string RootPath(string folder) => Path.Combine(folder, "ca.pem");

    private static string KeyPath(string folder) => Path.Combine(folder, "ca-key.pem");

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
