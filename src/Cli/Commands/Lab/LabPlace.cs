using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>Where a lab's things lie, and under which names the kernel knows them.</summary>
/// <param name="Root">Holds the folders of all labs.</param>
/// <param name="Name">The lab's.</param>
internal sealed partial record LabPlace(string Root, string Name)
{
    internal const string DefaultRoot = "/var/lib/orch-lab";
    internal const string DefaultName = "lab";

    /// <summary>The host that is no host: the network between them.</summary>
    internal const string Switch = "switch";

    /// <summary>Of a socket's path (unix(7), sun_path with its end).</summary>
    private const int LongestPath = 107;

    internal string Folder => Path.Combine(Root, Name);

    internal string StateFile => Path.Combine(Folder, "lab.json");

    /// <summary>Held by the one command that changes the lab. Not in the folder, which goes.</summary>
    internal string LockFile => Path.Combine(Root, $".{Name}.lock");

    /// <summary>Of all hosts' cgroups; the digits tell labs of one name in two roots apart.</summary>
    internal string Cgroup => $"/orch-lab-{Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Folder)))[..6]}";

    internal string HostFolder(string host) => Path.Combine(Folder, "hosts", host);

    internal string Data(string host) => Path.Combine(HostFolder(host), "data");

    /// <summary>Where the machine reaches the host's daemon.</summary>
    internal string Socket(string host) => Path.Combine(HostFolder(host), "orch.sock");

    internal string Log(string host) => Path.Combine(HostFolder(host), "daemon.log");

    /// <summary>Everything that is wrong with it.</summary>
    internal IEnumerable<string> Check(int hosts)
    {
        if (!NameWords().IsMatch(Name))
            yield return $"--name '{Name}' must be 1 to 20 of a-z, 0-9 and '-', and begin with a letter";
        if (!Path.IsPathRooted(Root))
            yield return $"--root '{Root}' must be an absolute path";
        else if (Encoding.UTF8.GetByteCount(Socket($"host{hosts}")) > LongestPath)
            yield return $"--root '{Root}' is too long: the hosts' sockets lie below it, and a socket's path has at most {LongestPath} bytes";
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,19}$", RegexOptions.CultureInvariant)]
    private static partial Regex NameWords();
}
