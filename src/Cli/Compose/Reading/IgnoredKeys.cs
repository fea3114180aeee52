namespace Orchestrator.Cli.Compose.Reading;

/// <summary>Keys of a service that docker's <c>stack deploy</c> reads past with a warning (docker/cli, cli/compose/types).</summary>
internal static class IgnoredKeys
{
    internal static readonly string[] Unsupported =
    [
        "attach", "cgroup", "cgroup_parent", "cgroupns_mode", "develop", "domainname", "external_links", "ipc", "links",
        "mac_address", "network_mode", "pid", "pull_policy", "shm_size", "uts",
    ];

    internal static readonly KeyValuePair<string, string>[] Deprecated =
    [
        new("container_name", "Setting the container name is not supported."),
        new("expose", "Exposing ports is unnecessary - services on the same network can access each other's containers on any port."),
    ];

    /// <summary>Keys that change what runs and do not work here, each with what to know or to write instead.</summary>
    internal static readonly KeyValuePair<string, string>[] Refused =
    [
        new("annotations", "does not work yet"),
        new("blkio_config", "does not work: it names devices of one host, and a service may run on any"),
        new("cpu_count", "does not work: set deploy.resources.limits.cpus"),
        new("cpu_percent", "does not work: set deploy.resources.limits.cpus"),
        new("cpu_period", "does not work: set deploy.resources.limits.cpus"),
        new("cpu_quota", "does not work: set deploy.resources.limits.cpus"),
        new("cpu_rt_period", "does not work: real-time scheduling cannot be given to a service"),
        new("cpu_rt_runtime", "does not work: real-time scheduling cannot be given to a service"),
        new("cpu_shares", "does not work: set deploy.resources.reservations.cpus"),
        new("cpuset", "does not work: set deploy.resources.limits.cpus"),
        new("credential_spec", "does not work: it is for Windows containers"),
        new("device_cgroup_rules", "does not work: a service may run on any host and cannot have devices of one; run a container with --device-cgroup-rule"),
        new("devices", "does not work: a service may run on any host and cannot have devices of one; run a container with --device"),
        new("extends", "does not work yet: use an anchor and '<<', or a second file with -c"),
        new("gpus", "does not work yet: a service cannot have devices of its host"),
        new("isolation", "does not work: it is for Windows containers"),
        new("label_file", "does not work yet: write the labels under 'labels'"),
        new("mem_swappiness", "does not work: set deploy.resources.limits.memory"),
        new("memswap_limit", "does not work: set deploy.resources.limits.memory"),
        new("oom_kill_disable", "does not work: a container over its memory limit is always killed"),
        new("platform", "does not work yet: images run as they are on this host"),
        new("post_start", "does not work yet: hooks are not run"),
        new("pre_stop", "does not work yet: hooks are not run"),
        new("privileged", "does not work: a service is not given its whole host; name what is needed with cap_add, or run a container with --privileged"),
        new("provider", "does not work: orch runs containers only"),
        new("runtime", "does not work: orch has one runtime, its own"),
        new("storage_opt", "does not work yet"),
        new("use_api_socket", "does not work: mount the daemon's socket as a volume"),
        new("volume_driver", "does not work: volumes come with a later version"),
        new("volumes_from", "does not work: give each service its own 'volumes'"),
    ];
}
