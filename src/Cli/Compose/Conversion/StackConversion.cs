using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Conversion;

/// <summary>A stack file to what the manager gets: names scoped, labels set, networks named (docker/cli, cli/compose/convert).</summary>
internal static class StackConversion
{
    internal static StackSpec Convert(ComposeFile file, string stack, bool prune)
    {
        var volumes = file.Volumes.ToDictionary(v => v.Key, StringComparer.Ordinal);
        var networks = file.Networks.ToDictionary(n => n.Key, StringComparer.Ordinal);
        if (!networks.ContainsKey("default") && file.Services.Any(s => s.Networks.Count == 0 || s.Networks.Any(n => n.Network == "default")))
            networks["default"] = new ComposeNetwork { Key = "default", At = default };
        var used = file.Services.SelectMany(Attached).Select(a => a.Network).ToHashSet(StringComparer.Ordinal);
        return new StackSpec
        {
            Networks = [.. networks.Values
                .Where(n => used.Contains(n.Key) && !n.External)
                .OrderBy(n => n.Key, StringComparer.Ordinal)
                .Select(n => Network(n, stack))],
            Secrets = [.. file.Secrets.Where(p => !p.External).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new SecretSpec
            {
                Name = Name(p, stack), Labels = Labelled(p.Labels, stack), Data = p.Data, Templating = Templating(p),
            })],
            Configs = [.. file.Configs.Where(p => !p.External).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new ConfigSpec
            {
                Name = Name(p, stack), Labels = Labelled(p.Labels, stack), Data = p.Data, Templating = Templating(p),
            })],
            Services = [.. file.Services.OrderBy(s => s.Name, StringComparer.Ordinal).Select(s => Service(s, stack, networks, volumes, file))],
            Prune = prune,
        };
    }

    /// <summary>The image a service's build makes when the file does not name one.</summary>
    internal static string ImageOf(ComposeService service, string stack) => service.Image ?? $"{stack}_{service.Name}:latest";

    private static IReadOnlyList<ComposeAttachment> Attached(ComposeService service) => service.Networks.Count > 0
        ? service.Networks
        : [new ComposeAttachment("default", service.At, [], new Dictionary<string, string>())];

    private static NetworkCreateRequest Network(ComposeNetwork network, string stack) => new()
    {
        Name = Name(network, stack),
        Driver = network.Driver ?? "overlay",
        Internal = network.Internal,
        Attachable = network.Attachable,
        Ipam = network.Ipam,
        EnableIpv4 = network.EnableIpv4,
        EnableIpv6 = network.EnableIpv6,
        Options = network.DriverOpts,
        Labels = Labelled(network.Labels, stack),
    };

    private static string Name(ComposeNetwork network, string stack) =>
        network.Name ?? (network.External ? network.Key : $"{stack}_{network.Key}");

    private static string Name(ComposePayload payload, string stack) =>
        payload.Name ?? (payload.External ? payload.Key : $"{stack}_{payload.Key}");

    private static LogDriver? Templating(ComposePayload payload) => payload.TemplateDriver is { } driver ? new LogDriver { Name = driver } : null;

    /// <summary>By name: the manager knows the ids, of those it makes in the same moment too.</summary>
    private static ContainerSpec WithPayloads(ContainerSpec container, ComposeService service, ComposeFile file, string stack) => container with
    {
        Secrets = [.. service.Secrets.OrderBy(r => r.File.Name, StringComparer.Ordinal)
            .Select(r => new SecretReference { SecretName = Name(file.Secrets.First(p => p.Key == r.Source), stack), File = r.File })],
        Configs = [.. service.Configs.OrderBy(r => r.File.Name, StringComparer.Ordinal)
            .Select(r => new ConfigReference { ConfigName = Name(file.Configs.First(p => p.Key == r.Source), stack), File = r.File })],
    };

    private static ServiceSpec Service(
        ComposeService service, string stack, Dictionary<string, ComposeNetwork> networks, Dictionary<string, ComposeVolume> volumes, ComposeFile file)
    {
        var image = ImageOf(service, stack);
        return new ServiceSpec
        {
            Name = $"{stack}_{service.Name}",
            Labels = Labelled(service.ServiceLabels, stack, (StackSpec.ImageLabel, image)),
            TaskTemplate = new TaskSpec
            {
                ContainerSpec = WithPayloads(service.Container, service, file, stack) with
                {
                    Image = image,
                    Labels = Labelled(service.Labels, stack),
                    Mounts = [.. service.Container.Mounts.Select(m => Mount(m, stack, volumes))],
                    Env = [.. service.Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value}")],
                },
                Resources = service.Resources,
                RestartPolicy = service.RestartPolicy,
                Placement = service.Placement,
                LogDriver = service.Logging,
                Networks = [.. Attached(service)
                    .Select(a => new NetworkAttachmentConfig
                    {
                        Target = Name(networks[a.Network], stack),
                        Aliases = [service.Name, .. a.Aliases.Where(alias => alias != service.Name)],
                        DriverOpts = a.DriverOpts,
                    })
                    .OrderBy(a => a.Target, StringComparer.Ordinal)],
            },
            Mode = service.Mode,
            UpdateConfig = service.UpdateConfig,
            RollbackConfig = service.RollbackConfig,
            Orch = service.DependsOn.Count == 0 ? null : new ServiceExtension
            {
                DependsOn = [.. service.DependsOn.OrderBy(d => d.Service, StringComparer.Ordinal).Select(d => new ServiceDependency
                {
                    Service = $"{stack}_{d.Service}",
                    Condition = d.Condition,
                    Restart = d.Restart,
                    Optional = !d.Required,
                })],
            },
            EndpointSpec = new EndpointSpec
            {
                Mode = service.EndpointMode,
                Ports = [.. service.Ports.OrderBy(p => p.PublishedPort).ThenBy(p => p.TargetPort).ThenBy(p => p.Protocol, StringComparer.Ordinal)],
            },
        };
    }

    /// <summary>A mount of the stack's volume says what the volume is: the node makes it when it is first needed.</summary>
    private static Mount Mount(Mount mount, string stack, Dictionary<string, ComposeVolume> volumes)
    {
        if (mount.Type != "volume" || string.IsNullOrEmpty(mount.Source) || !volumes.TryGetValue(mount.Source, out var volume))
            return mount;
        var named = mount with { Source = volume.Name ?? (volume.External ? volume.Key : $"{stack}_{volume.Key}") };
        return volume.External ? named : named with
        {
            VolumeOptions = (named.VolumeOptions ?? new()) with
            {
                Labels = Labelled(volume.Labels, stack),
                DriverConfig = volume.Driver is null && volume.DriverOpts.Count == 0 ? null : new LogDriver { Name = volume.Driver ?? "local", Options = volume.DriverOpts },
            },
        };
    }

    private static SortedDictionary<string, string> Labelled(
        IReadOnlyDictionary<string, string> labels, string stack, params ReadOnlySpan<(string Key, string Value)> more)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in labels)
            all[key] = value;
        all[StackSpec.NamespaceLabel] = stack;
        foreach (var (key, value) in more)
            all[key] = value;
        return all;
    }
}
