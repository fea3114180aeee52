using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Everything that is wrong with a request, or does not work yet, at once.</summary>
internal static partial class RequestCheck
{
    /// <param name="config">Already merged with the image's.</param>
    /// <param name="host">The request's.</param>
    /// <param name="facts">The machine's.</param>
    /// <param name="problems">Gets what is wrong.</param>
    internal static void Check(ContainerConfig config, HostConfig host, HostFacts facts, List<Problem> problems)
    {
        void Refuse(string field, string message) => problems.Add(new Problem(field, message));

        if ((config.Entrypoint?.Count ?? 0) + (config.Cmd?.Count ?? 0) == 0)
            Refuse("Cmd", "no command specified");
        if (config.Hostname is { Length: > 63 })
            Refuse("Hostname", $"invalid hostname '{config.Hostname}': it has more than 63 characters");
        if (!string.IsNullOrEmpty(config.WorkingDir) && !config.WorkingDir.StartsWith('/'))
            Refuse("WorkingDir", $"the working directory '{config.WorkingDir}' is invalid, it needs to be an absolute path");
        foreach (var variable in config.Env.Where(v => v.Length == 0 || v.StartsWith('=')))
            Refuse("Env", $"invalid environment variable: {variable}");
        if (!string.IsNullOrEmpty(config.StopSignal) && Signals.Parse(config.StopSignal) is null)
            Refuse("StopSignal", $"Invalid signal: {config.StopSignal}");
        foreach (var volume in config.Volumes.Keys.Where(v => !v.StartsWith('/') || MountPlan.Clean(v) == "/"))
            Refuse("Volumes", $"invalid volume '{volume}': it must be an absolute path of the container, and not /");
        problems.AddRange(HealthValidation.Check(config.Healthcheck, "Healthcheck"));
        if (config.NetworkDisabled == true && host.PortBindings.Count > 0)
            Refuse("NetworkDisabled", "a container without network cannot publish ports");

        ConsoleSizes.Check(host.ConsoleSize, "HostConfig.ConsoleSize", problems);
        ResourcePlan.Check(host, facts, problems);
        RestartPlan.Check(host.RestartPolicy, host.AutoRemove, problems);
        HostsFile.Check(host.ExtraHosts, problems);
        LogPlan.Check(host.LogConfig, problems);
        SecurityPlan.Of(host, problems);
        NamespaceModes.Check(config, host, facts, problems);
        DeviceRequest.Check(host, problems);
        foreach (var server in host.Dns.Where(d => !System.Net.IPAddress.TryParse(d, out _)))
            Refuse("HostConfig.Dns", $"invalid DNS server '{server}': it must be an IP address");
        if (config.Labels.ContainsKey(""))
            Refuse("Labels", "invalid label: its name is empty");
        if (host.StorageOpt.Count > 0)
            Refuse("HostConfig.StorageOpt", "storage options do not work: containers write into directories of the data root, whose file system has no quota of ours; give the data root a file system of its own size");
        if (host.Annotations.Keys.Any(k => k.Length == 0))
            Refuse("HostConfig.Annotations", "invalid Annotations: the empty string is not permitted as an annotation key");
        foreach (var name in host.Sysctls.Keys.Where(name => !IsNamespaced(name, host.NetworkMode)))
            Refuse("HostConfig.Sysctls", $"sysctl '{name}' is not allowed: it is not the container's own");
        var sharesIpc = host.IpcMode == NamespaceModes.Host || NamespaceModes.ContainerOf(host.IpcMode ?? "") is not null;
        foreach (var name in host.Sysctls.Keys.Where(name => sharesIpc && !name.StartsWith("net.", StringComparison.Ordinal) && IsNamespaced(name, host.NetworkMode)))
            Refuse("HostConfig.Sysctls", $"sysctl '{name}' is not allowed in the IPC mode {host.IpcMode}: it would change another's");
    }

    /// <summary>Docker's rule for container names, without the leading slash.</summary>
    internal static void CheckName(string name)
    {
        if (!NamePattern().IsMatch(name))
            throw new InvalidContainerException("name", $"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    }

    private static bool IsNamespaced(string name, string? networkMode) =>
        SysctlNames.IsNamespaced(name, ownNetwork: networkMode != "host" && NamespaceModes.ContainerOf(networkMode ?? "") is null);

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
