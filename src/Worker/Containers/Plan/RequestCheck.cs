using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Everything that is wrong with a request, or does not work yet, at once.</summary>
internal static partial class RequestCheck
{
    private static readonly string[] NamespacedSysctls =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

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
        if (config.Tty || config.OpenStdin)
            Refuse(config.Tty ? "Tty" : "OpenStdin", "a terminal or an open stdin does not work yet: attach and exec come with a later release");
        if (config.Volumes.Count > 0)
            Refuse("Volumes", $"anonymous volume {config.Volumes.Keys.First()}: volumes come with a later release");
        problems.AddRange(HealthValidation.Check(config.Healthcheck, "Healthcheck"));
        if (config.NetworkDisabled == true && host.PortBindings.Count > 0)
            Refuse("NetworkDisabled", "a container without network cannot publish ports");
        if (host.Privileged)
            Refuse("HostConfig.Privileged", "privileged containers do not work yet: add the capabilities that are needed with CapAdd");
        if (!string.IsNullOrEmpty(host.CgroupParent))
            Refuse("HostConfig.CgroupParent", "a cgroup parent per container does not work yet: give the daemon one with --cgroup-parent");

        Later(host, problems);
        ResourcePlan.Check(host, facts, problems);
        RestartPlan.Check(host.RestartPolicy, host.AutoRemove, problems);
        HostsFile.Check(host.ExtraHosts, problems);
        LogPlan.Check(host.LogConfig, problems);
        SecurityPlan.Of(host, problems);
        foreach (var name in host.Sysctls.Keys.Where(name => !IsNamespaced(name, host.NetworkMode)))
            Refuse("HostConfig.Sysctls", $"sysctl '{name}' is not allowed: it is not the container's own");
    }

    /// <summary>Fields that are known and do not work yet. Whoever makes one work takes it out of here.</summary>
    private static void Later(HostConfig host, List<Problem> problems)
    {
        void Refuse(bool given, string field)
        {
            if (given)
                problems.Add(new Problem("HostConfig." + field, $"{field} does not work yet"));
        }

        Refuse(host.Devices.Count > 0, "Devices");
        Refuse(host.DeviceCgroupRules.Count > 0, "DeviceCgroupRules");
        Refuse(host.BlkioWeight != 0, "BlkioWeight");
        Refuse(host.BlkioWeightDevice.Count > 0, "BlkioWeightDevice");
        Refuse(host.BlkioDeviceReadBps.Count > 0, "BlkioDeviceReadBps");
        Refuse(host.BlkioDeviceWriteBps.Count > 0, "BlkioDeviceWriteBps");
        Refuse(host.BlkioDeviceReadIops.Count > 0, "BlkioDeviceReadIOps");
        Refuse(host.BlkioDeviceWriteIops.Count > 0, "BlkioDeviceWriteIOps");
        Refuse(host.CpuRealtimePeriod != 0, "CpuRealtimePeriod");
        Refuse(host.CpuRealtimeRuntime != 0, "CpuRealtimeRuntime");
        Refuse(host.MemorySwappiness is not (null or -1), "MemorySwappiness");
        Refuse(host.OomKillDisable == true, "OomKillDisable");
        Refuse(host.CgroupnsMode is not (null or "" or "private"), "CgroupnsMode");
        Refuse(host.IpcMode is not (null or "" or "private"), "IpcMode");
        Refuse(host.PidMode is not (null or ""), "PidMode");
        Refuse(host.UtsMode is not (null or ""), "UTSMode");
        Refuse(host.UsernsMode is not (null or ""), "UsernsMode");
        Refuse(host.VolumesFrom.Count > 0, "VolumesFrom");
        Refuse(host.VolumeDriver is not (null or "" or "local"), "VolumeDriver");
        Refuse(host.PublishAllPorts, "PublishAllPorts");
        Refuse(host.StorageOpt.Count > 0, "StorageOpt");
        Refuse(host.Annotations.Count > 0, "Annotations");
        Refuse(host.MaskedPaths is not null, "MaskedPaths");
        Refuse(host.ReadonlyPaths is not null, "ReadonlyPaths");
    }

    /// <summary>Docker's rule for container names, without the leading slash.</summary>
    internal static void CheckName(string name)
    {
        if (!NamePattern().IsMatch(name))
            throw new InvalidContainerException("name", $"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    }

    private static bool IsNamespaced(string name, string? networkMode) =>
        (name.StartsWith("net.", StringComparison.Ordinal) && networkMode != "host")
        || name.StartsWith("fs.mqueue.", StringComparison.Ordinal) || NamespacedSysctls.Contains(name);

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
