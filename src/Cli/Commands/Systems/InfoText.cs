using System.Text;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary><c>orch info</c> for people, in the order of docker's.</summary>
internal static class InfoText
{
    internal static string Write(InfoReply info, EngineAddress address)
    {
        var text = new StringBuilder();
        text.Append($"""
            Client: orch
             Version:    {Program.Version}
             Socket:     {address.Url} ({address.ChosenBy})

            Server:
             Containers: {info.Containers}
              Running: {info.ContainersRunning}
              Paused: {info.ContainersPaused}
              Stopped: {info.ContainersStopped}
             Images: {info.Images}
             Server Version: {info.ServerVersion}
             Storage Driver: {info.Driver}

            """);
        foreach (var status in info.DriverStatus.Where(s => s.Count == 2))
            text.Append($"  {status[0]}: {status[1]}\n");
        text.Append($"""
             Logging Driver: {info.LoggingDriver}
             Cgroup Driver: {info.CgroupDriver}
             Cgroup Version: {info.CgroupVersion}
             Swarm: {info.Swarm.LocalNodeState}

            """);
        if (info.Swarm.NodeId.Length > 0)
            Cluster(info.Swarm, text);
        text.Append($"""
             Default Runtime: {info.DefaultRuntime}
             Init Binary: {info.InitBinary}
             Security Options: {string.Join(", ", info.SecurityOptions)}
             Kernel Version: {info.KernelVersion}
             Operating System: {info.OperatingSystem}
             OSType: {info.OsType}
             Architecture: {info.Architecture}
             CPUs: {info.Ncpu}
             Total Memory: {Humanized.BinarySize(info.MemTotal)}
             Name: {info.Name}
             ID: {info.Id}
             Root Dir: {info.DockerRootDir}
             Live Restore Enabled: {(info.LiveRestoreEnabled ? "true" : "false")}

            """);
        foreach (var label in info.Labels)
            text.Append($" Label: {label}\n");
        return text.ToString();
    }

    private static void Cluster(SwarmInfo swarm, StringBuilder text)
    {
        text.Append($"  NodeID: {swarm.NodeId}\n");
        if (swarm.Error.Length > 0)
            text.Append($"  Error: {swarm.Error}\n");
        text.Append($"  Is Manager: {(swarm.ControlAvailable ? "true" : "false")}\n");
        if (swarm.Cluster is { } cluster)
            text.Append($"  ClusterID: {cluster.Id}\n  Managers: {swarm.Managers}\n  Nodes: {swarm.Nodes}\n");
        text.Append($"  Node Address: {swarm.NodeAddr}\n");
        foreach (var manager in swarm.RemoteManagers)
            text.Append($"  Manager Address: {manager.Addr}\n");
    }
}
