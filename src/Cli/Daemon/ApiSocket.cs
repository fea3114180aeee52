using System.Net.Sockets;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Daemon;

/// <summary>The file of a unix socket: nobody else's, and for whom it is.</summary>
internal static class ApiSocket
{
    /// <summary>Makes way for a socket: one that nobody answers on is removed.</summary>
    /// <exception cref="DaemonException">Somebody answers on it, or the path is something else.</exception>
    internal static async Task ClearAsync(string path, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused)
        {
            File.Delete(path); // its daemon is gone
            return;
        }
        catch (SocketException e)
        {
            throw new DaemonException($"{path} is there and is no socket of ours: {e.Message}", e);
        }

        throw new DaemonException($"another daemon answers on {path}; stop it, or give this one another --host");
    }

    /// <summary>Root and the group <c>docker</c> or <c>orch</c> may use it. Kestrel made it so that only root can.</summary>
    internal static void Share(string path, string groupFile = "/etc/group")
    {
        if (GroupId(File.Exists(groupFile) ? File.ReadAllText(groupFile) : "") is { } group)
            FileOwner.SetGroup(path, group);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
    }

    /// <summary>group(5): the id of <c>docker</c>, else of <c>orch</c>.</summary>
    internal static uint? GroupId(string groups)
    {
        var ids = groups.Split('\n').Select(line => line.Split(':')).Where(f => f.Length >= 3 && uint.TryParse(f[2], out _))
            .GroupBy(f => f[0], StringComparer.Ordinal).ToDictionary(g => g.Key, g => uint.Parse(g.First()[2]), StringComparer.Ordinal);
        return ids.TryGetValue("docker", out var docker) ? docker : ids.TryGetValue("orch", out var orch) ? orch : null;
    }
}
