using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What a container takes from its image where the request says nothing; Docker's rules (runconfig merge).</summary>
internal static class ImageDefaults
{
    /// <summary>Merges the two. An entrypoint in the request discards the image's command, since the two belong together.</summary>
    internal static ContainerConfig Merge(ContainerConfig asked, ImageConfig image)
    {
        var entrypoint = asked.Entrypoint;
        var command = asked.Cmd;
        if (entrypoint is null or { Count: 0 })
        {
            if (command is null or { Count: 0 })
                command = Read(image.Cmd);
            entrypoint ??= Read(image.Entrypoint);
        }

        if (entrypoint is [""])
            entrypoint = null;

        return new ContainerConfig
        {
            Hostname = asked.Hostname,
            Domainname = asked.Domainname,
            User = string.IsNullOrEmpty(asked.User) ? image.User : asked.User,
            AttachStdin = asked.AttachStdin,
            AttachStdout = asked.AttachStdout,
            AttachStderr = asked.AttachStderr,
            ExposedPorts = Ports(asked, image),
            Tty = asked.Tty,
            OpenStdin = asked.OpenStdin,
            StdinOnce = asked.StdinOnce,
            Env = MergeEnv(asked.Env, Read(image.Env) ?? []),
            Cmd = command,
            Healthcheck = HealthCheck.Merge(asked.Healthcheck, image.Healthcheck),
            Image = asked.Image,
            Volumes = asked.Volumes.Keys.Concat(image.Volumes?.Keys ?? []).Distinct(StringComparer.Ordinal).ToDictionary(v => v, _ => new Orchestrator.Shared.Model.EmptyObject(), StringComparer.Ordinal),
            WorkingDir = string.IsNullOrEmpty(asked.WorkingDir) ? image.WorkingDir : asked.WorkingDir,
            Entrypoint = entrypoint,
            NetworkDisabled = asked.NetworkDisabled,
            Labels = MergeLabels(asked.Labels, image.Labels),
            StopSignal = string.IsNullOrEmpty(asked.StopSignal) ? image.StopSignal : asked.StopSignal,
            StopTimeout = asked.StopTimeout,
            Shell = asked.Shell ?? Read(image.Shell),
        };
    }

    /// <summary>The request's variables first, then the image's that it does not name: the order Docker shows.</summary>
    private static List<string> MergeEnv(IReadOnlyList<string> asked, IReadOnlyList<string> image)
    {
        var named = asked.Select(EnvironmentPlan.NameOf).ToHashSet(StringComparer.Ordinal);
        return [.. asked, .. image.Where(variable => !named.Contains(EnvironmentPlan.NameOf(variable)))];
    }

    private static Dictionary<string, string> MergeLabels(IReadOnlyDictionary<string, string> asked, IReadOnlyDictionary<string, string>? image)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in image ?? System.Collections.Frozen.FrozenDictionary<string, string>.Empty)
            labels[name] = value;
        foreach (var (name, value) in asked)
            labels[name] = value;
        return labels;
    }

    private static Dictionary<string, Orchestrator.Shared.Model.EmptyObject> Ports(ContainerConfig asked, ImageConfig image)
    {
        var ports = new Dictionary<string, Orchestrator.Shared.Model.EmptyObject>(StringComparer.Ordinal);
        foreach (var port in asked.ExposedPorts.Keys.Concat(image.ExposedPorts?.Keys ?? []))
            ports[port.Contains('/') ? port : port + "/tcp"] = new();
        return ports;
    }

    private static IReadOnlyList<string>? Read(System.Collections.Immutable.ImmutableArray<string>? list) =>
        list is { IsDefault: false } items ? items : null;
}
