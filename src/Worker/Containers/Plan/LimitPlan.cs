using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>A request's limits on this host: what cannot be held is left out and told, as Docker does (moby, <c>daemon_unix.go</c>).</summary>
internal static class LimitPlan
{
    /// <param name="host">The request's.</param>
    /// <param name="facts">The host's.</param>
    /// <param name="warnings">Gets a sentence for each limit that is left out.</param>
    internal static HostConfig Adapt(HostConfig host, LimitFacts facts, List<string> warnings)
    {
        void Discard(string what, string discarded) => warnings.Add($"Your kernel does not support {what} or the cgroup is not mounted. {discarded} discarded.");

        // A swap limit that is not given is as much swap again as memory; inspect shows it, as Docker's.
        if (host is { Memory: > 0, MemorySwap: 0 })
            host = host with { MemorySwap = host.Memory * 2 };
        if (host.Memory > 0 && !facts.Memory)
        {
            Discard("memory limit capabilities", "Limitation");
            host = host with { Memory = 0, MemorySwap = -1 };
        }
        if (host is { Memory: > 0, MemorySwap: not -1 } && !facts.Swap)
        {
            warnings.Add("Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.");
            host = host with { MemorySwap = -1 };
        }
        if (host.MemorySwappiness is -1)
            host = host with { MemorySwappiness = null };
        if (host.MemorySwappiness is not null && !facts.Swappiness)
        {
            Discard("memory swappiness capabilities", "Memory swappiness");
            host = host with { MemorySwappiness = null };
        }
        if (host.MemoryReservation > 0 && !facts.Memory)
        {
            Discard("memory soft limit capabilities", "Limitation");
            host = host with { MemoryReservation = 0 };
        }
        if (host.OomKillDisable is not null && !facts.OomKillDisable)
        {
            if (host.OomKillDisable == true)
                warnings.Add("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
            host = host with { OomKillDisable = null };
        }
        if (host is { OomKillDisable: true, Memory: 0 })
            warnings.Add("OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.");
        if (host.PidsLimit is > 0 && !facts.Pids)
        {
            Discard("PIDs limit capabilities", "PIDs limit");
            host = host with { PidsLimit = null };
        }
        if (host.CpuShares > 0 && !facts.Cpu)
        {
            Discard("CPU shares", "Shares");
            host = host with { CpuShares = 0 };
        }
        if ((host.CpuPeriod != 0 || host.CpuQuota != 0) && !facts.Cpu)
        {
            Discard("CPU CFS scheduler", "CPU period/quota");
            host = host with { CpuPeriod = 0, CpuQuota = 0 };
        }
        if ((host.CpusetCpus is { Length: > 0 } || host.CpusetMems is { Length: > 0 }) && !facts.CpuSet)
        {
            Discard("cpuset", "Cpuset");
            host = host with { CpusetCpus = null, CpusetMems = null };
        }
        return Io(host, facts, Discard);
    }

    private static HostConfig Io(HostConfig host, LimitFacts facts, Action<string, string> discard)
    {
        if (host.BlkioWeight > 0 && !facts.IoWeight)
        {
            discard("Block I/O weight", "Weight");
            host = host with { BlkioWeight = 0 };
        }
        if (host.BlkioWeightDevice.Count > 0 && !facts.IoWeight)
        {
            discard("Block I/O weight_device", "Weight-device");
            host = host with { BlkioWeightDevice = [] };
        }
        if (facts.IoThrottle)
            return host;
        if (host.BlkioDeviceReadBps.Count > 0)
            discard("BPS Block I/O read limit", "Block I/O BPS read limit");
        if (host.BlkioDeviceWriteBps.Count > 0)
            discard("BPS Block I/O write limit", "Block I/O BPS write limit");
        if (host.BlkioDeviceReadIops.Count > 0)
            discard("IOPS Block read limit", "Block I/O IOPS read limit");
        if (host.BlkioDeviceWriteIops.Count > 0)
            discard("IOPS Block write limit", "Block I/O IOPS write limit");
        return host with { BlkioDeviceReadBps = [], BlkioDeviceWriteBps = [], BlkioDeviceReadIops = [], BlkioDeviceWriteIops = [] };
    }
}
