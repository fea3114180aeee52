using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>The few files of /etc that a host has for itself: its name, and the names of the others.</summary>
internal static class LabEtc
{
    /// <summary>Writes them and says where they belong.</summary>
    internal static ImmutableArray<(string Source, string Target)> Write(LabPlace place, LabState state, string host)
    {
        var folder = Path.Combine(place.HostFolder(host), "etc");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(place.Data(host));
        var binds = ImmutableArray.CreateBuilder<(string, string)>();
        Add("hosts", Hosts(state));
        Add("hostname", host + "\n");
        // Often a link into /run, which is the host's own.
        if (File.Exists("/etc/resolv.conf"))
            Add("resolv.conf", File.ReadAllText("/etc/resolv.conf"));
        // A daemon of the machine keeps its own state there: in a host that is the host's.
        if (Directory.Exists(Daemon.DaemonOptions.DefaultDataRoot))
            binds.Add((place.Data(host), Daemon.DaemonOptions.DefaultDataRoot));
        return binds.ToImmutable();

        void Add(string name, string content)
        {
            var target = $"/etc/{name}";
            if (!File.Exists(target))
                return;
            var source = Path.Combine(folder, name);
            File.WriteAllText(source, content);
            binds.Add((source, new FileInfo(target).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? target));
        }
    }

    internal static string Hosts(LabState state)
    {
        var text = new StringBuilder("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
        foreach (var host in state.Hosts)
            text.Append(host.Address).Append(' ').Append(host.Name).Append('\n');
        return text.Append(state.Gateway).Append(' ').Append(LabPlace.Switch).Append('\n').ToString();
    }
}
