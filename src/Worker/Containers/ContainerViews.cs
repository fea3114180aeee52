using System.Globalization;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Worker.Containers;

/// <summary>Containers as the Engine API shows them.</summary>
internal static class ContainerViews
{
    internal static ContainerSummary Summary(ContainerSnapshot snapshot, DateTimeOffset now)
    {
        var (container, state) = (snapshot.Container, snapshot.State);
        return new ContainerSummary
        {
            Id = container.Id,
            Names = ["/" + container.Name],
            Image = container.Config.Image,
            ImageId = container.ImageId,
            Command = string.Join(' ', Arguments(container.Config).Select((word, place) => place > 0 && word.Contains(' ') ? $"'{word}'" : word)),
            Created = container.Created.ToUnixTimeSeconds(),
            Ports = Ports(snapshot),
            Labels = container.Config.Labels,
            State = Word(state),
            Status = StatusText.Of(state.Status, state.ExitCode, state.StartedAt, state.FinishedAt, now)
                + (snapshot.IsPaused ? " (Paused)" : state.Status == ContainerStatus.Running ? HealthPlan.Suffix(state.Health) : ""),
            HostConfig = new HostConfigSummary { NetworkMode = Mode(container) },
            NetworkSettings = new NetworkSettingsSummary { Networks = Networks(snapshot) },
            Mounts = VolumePlan.Points(container),
        };
    }

    internal static ContainerInspect Inspect(ContainerSnapshot snapshot, ContainerDirectory directory)
    {
        var (container, state) = (snapshot.Container, snapshot.State);
        var arguments = Arguments(container.Config);
        var config = container.Config;
        return new ContainerInspect
        {
            Id = container.Id,
            Created = container.Created,
            Path = arguments.Count > 0 ? arguments[0] : "",
            Args = [.. arguments.Skip(1)],
            State = new ContainerStateReply
            {
                Status = Word(state),
                Paused = snapshot.IsPaused,
                Running = state.Status is ContainerStatus.Running or ContainerStatus.Restarting,
                Restarting = state.Status == ContainerStatus.Restarting,
                OomKilled = state.OomKilled,
                Dead = state.Status == ContainerStatus.Dead,
                Pid = state.Pid,
                ExitCode = state.ExitCode,
                Error = state.Error,
                StartedAt = state.StartedAt ?? default,
                FinishedAt = state.FinishedAt ?? default,
                Health = state.Health,
            },
            Image = container.ImageId,
            ResolvConfPath = directory.File("resolv.conf"),
            HostnamePath = directory.File("hostname"),
            HostsPath = directory.File("hosts"),
            LogPath = LogPlan.ShownPath(directory, container),
            Name = "/" + container.Name,
            RestartCount = state.RestartCount,
            HostConfig = container.HostConfig with
            {
                NetworkMode = Mode(container),
                LogConfig = container.HostConfig.LogConfig is { Type.Length: > 0 } log ? log : new LogConfig { Type = LogPlan.Driver, Config = container.HostConfig.LogConfig?.Config ?? new Dictionary<string, string>() },
                RestartPolicy = container.HostConfig.RestartPolicy ?? new ContainerRestartPolicy(),
            },
            Mounts = VolumePlan.Points(container),
            Config = string.IsNullOrEmpty(config.Hostname) ? config with { Hostname = container.Id[..12] } : config,
            NetworkSettings = Settings(snapshot),
        };
    }

    internal static string Word(StoredState state) => state.Status switch
    {
        ContainerStatus.Created => "created",
        ContainerStatus.Running => state.Paused ? "paused" : "running",
        ContainerStatus.Restarting => "restarting",
        ContainerStatus.Exited => "exited",
        ContainerStatus.Removing => "removing",
        ContainerStatus.Dead => "dead",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static List<string> Arguments(ContainerConfig config) => [.. config.Entrypoint ?? [], .. config.Cmd ?? []];

    private static string Mode(StoredContainer container) => EndpointPlan.NameOf(container.HostConfig.NetworkMode);

    private static ContainerNetworkSettings Settings(ContainerSnapshot snapshot)
    {
        var networks = Networks(snapshot);
        // What older scripts read: the place on the default network, without its name.
        var place = networks.GetValueOrDefault(EndpointPlan.DefaultNetwork);
        return new ContainerNetworkSettings
        {
            SandboxId = snapshot.State.Endpoints.Count > 0 ? snapshot.Id : "",
            Ports = PortMap(snapshot),
            EndpointId = place?.EndpointId ?? "",
            Gateway = place?.Gateway ?? "",
            IpAddress = place?.IpAddress ?? "",
            IpPrefixLen = place?.IpPrefixLen ?? 0,
            MacAddress = place?.MacAddress ?? "",
            Networks = networks,
        };
    }

    private static Dictionary<string, EndpointSettings> Networks(ContainerSnapshot snapshot)
    {
        var networks = new Dictionary<string, EndpointSettings>(StringComparer.Ordinal);
        if (snapshot.State.Endpoints.Count == 0)
        {
            // Not attached now: the networks it will join, without an address.
            networks[Mode(snapshot.Container)] = new EndpointSettings();
            foreach (var (name, asked) in snapshot.Container.Networking?.EndpointsConfig ?? new Dictionary<string, EndpointSettings?>())
                networks[EndpointPlan.NameOf(name)] = asked ?? new EndpointSettings();
            return networks;
        }

        var running = snapshot.IsRunning;
        foreach (var endpoint in snapshot.State.Endpoints)
        {
            var asked = snapshot.Container.Networking?.EndpointsConfig
                .FirstOrDefault(e => e.Key == endpoint.NetworkId || EndpointPlan.NameOf(e.Key) == endpoint.NetworkName).Value;
            networks[endpoint.NetworkName] = new EndpointSettings
            {
                IpamConfig = asked?.IpamConfig,
                Aliases = asked?.Aliases ?? [],
                NetworkId = endpoint.NetworkId,
                EndpointId = running ? snapshot.Id : "",
                Gateway = running ? endpoint.Gateway : "",
                IpAddress = running ? endpoint.Address : "",
                IpPrefixLen = running ? endpoint.PrefixLength : 0,
                MacAddress = running ? endpoint.Mac : "",
                DnsNames = [snapshot.Container.Name, snapshot.Id[..12]],
            };
        }

        return networks;
    }

    private static List<PortSummary> Ports(ContainerSnapshot snapshot)
    {
        if (!snapshot.IsRunning)
            return [];
        var published = snapshot.State.Ports
            .Select(p => new PortSummary { Ip = p.HostIp ?? "0.0.0.0", PrivatePort = p.ContainerPort, PublicPort = p.HostPort, Type = p.Protocol })
            .ToList();
        foreach (var exposed in snapshot.Container.Config.ExposedPorts.Keys)
        {
            var parts = exposed.Split('/');
            if (int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                && !published.Exists(p => p.PrivatePort == port && p.Type == parts[^1]))
                published.Add(new PortSummary { PrivatePort = port, Type = parts[^1] });
        }

        return published;
    }

    private static Dictionary<string, IReadOnlyList<PortBinding>?> PortMap(ContainerSnapshot snapshot)
    {
        var map = new Dictionary<string, IReadOnlyList<PortBinding>?>(StringComparer.Ordinal);
        if (!snapshot.IsRunning)
            return map;
        foreach (var exposed in snapshot.Container.Config.ExposedPorts.Keys)
            map[exposed] = null;
        foreach (var group in snapshot.State.Ports.GroupBy(p => $"{p.ContainerPort}/{p.Protocol}"))
        {
            map[group.Key] =
            [
                .. group.Select(p => new PortBinding
                {
                    HostIp = p.HostIp ?? "0.0.0.0",
                    HostPort = p.HostPort.ToString(CultureInfo.InvariantCulture),
                }),
            ];
        }

        return map;
    }
}
