using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Other limits and another restart policy for a container that exists (moby, <c>container_unix.go</c>, UpdateContainer).</summary>
/// <param name="Next">What it is from now on, also after a restart.</param>
/// <param name="Change">What that changes for what runs; null: nothing.</param>
internal sealed record UpdatePlan(HostConfig Next, OciResources? Change)
{
    /// <param name="host">What it is.</param>
    /// <param name="request">0, null and empty leave things as they are.</param>
    /// <param name="facts">The host's.</param>
    /// <param name="problems">Gets everything that stands against it.</param>
    /// <param name="warnings">Gets what cannot be held here.</param>
    internal static UpdatePlan Of(HostConfig host, ContainerUpdateRequest request, HostFacts facts, List<Problem> problems, List<string> warnings)
    {
        Conflicts(host, request, problems);
        var merged = host with
        {
            CpuShares = Or(request.CpuShares, host.CpuShares),
            NanoCpus = Or(request.NanoCpus, host.NanoCpus),
            CpuPeriod = Or(request.CpuPeriod, host.CpuPeriod),
            CpuQuota = Or(request.CpuQuota, host.CpuQuota),
            CpuRealtimePeriod = Or(request.CpuRealtimePeriod, host.CpuRealtimePeriod),
            CpuRealtimeRuntime = Or(request.CpuRealtimeRuntime, host.CpuRealtimeRuntime),
            CpusetCpus = string.IsNullOrEmpty(request.CpusetCpus) ? host.CpusetCpus : request.CpusetCpus,
            CpusetMems = string.IsNullOrEmpty(request.CpusetMems) ? host.CpusetMems : request.CpusetMems,
            Memory = Or(request.Memory, host.Memory),
            MemorySwap = Or(request.MemorySwap, host.MemorySwap),
            MemoryReservation = Or(request.MemoryReservation, host.MemoryReservation),
            BlkioWeight = request.BlkioWeight != 0 ? request.BlkioWeight : host.BlkioWeight,
            PidsLimit = request.PidsLimit ?? host.PidsLimit,
            RestartPolicy = request.RestartPolicy is { Name.Length: > 0 } policy ? policy : host.RestartPolicy,
        };
        ResourcePlan.Check(merged, facts, problems);
        RestartPlan.Check(merged.RestartPolicy, autoRemove: false, problems);
        merged = LimitPlan.Adapt(merged, facts.Limits, warnings);
        return new UpdatePlan(merged, ChangeOf(request, merged, facts));
    }

    private static void Conflicts(HostConfig host, ContainerUpdateRequest request, List<Problem> problems)
    {
        void Refuse(string field, string message) => problems.Add(new Problem(field, message));

        if (request.NanoCpus > 0 && host.CpuPeriod > 0)
            Refuse("NanoCpus", "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set");
        if (request.NanoCpus > 0 && host.CpuQuota > 0)
            Refuse("NanoCpus", "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set");
        if (request.CpuPeriod > 0 && host.NanoCpus > 0)
            Refuse("CpuPeriod", "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
        if (request.CpuQuota > 0 && host.NanoCpus > 0)
            Refuse("CpuQuota", "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set");
        if (request is { Memory: > 0, MemorySwap: 0 } && host.MemorySwap > 0 && request.Memory > host.MemorySwap)
            Refuse("Memory", "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
        if (host.AutoRemove && request.RestartPolicy is { Name: not ("" or "no") })
            Refuse("RestartPolicy", "Restart policy cannot be updated because AutoRemove is enabled for the container");
    }

    /// <summary>What belongs together goes together: quota with period, memory with swap.</summary>
    private static OciResources? ChangeOf(ContainerUpdateRequest request, HostConfig merged, HostFacts facts)
    {
        var (cpu, memory) = (ResourcePlan.Cpu(merged) ?? new(), ResourcePlan.Memory(merged, facts) ?? new());
        var time = request.NanoCpus != 0 || request.CpuPeriod != 0 || request.CpuQuota != 0;
        var realtime = request.CpuRealtimePeriod != 0 || request.CpuRealtimeRuntime != 0;
        var bytes = request.Memory != 0 || request.MemorySwap != 0;
        var newCpu = new OciCpu
        {
            Shares = request.CpuShares != 0 ? cpu.Shares : null,
            Quota = time ? cpu.Quota : null,
            Period = time ? cpu.Period : null,
            RealtimePeriod = realtime ? cpu.RealtimePeriod : null,
            RealtimeRuntime = realtime ? cpu.RealtimeRuntime : null,
            Cpus = string.IsNullOrEmpty(request.CpusetCpus) ? null : cpu.Cpus,
            Mems = string.IsNullOrEmpty(request.CpusetMems) ? null : cpu.Mems,
        };
        var newMemory = new OciMemory
        {
            Limit = bytes ? memory.Limit : null,
            Swap = bytes ? memory.Swap : null,
            Reservation = request.MemoryReservation != 0 ? memory.Reservation : null,
        };
        var change = new OciResources
        {
            Cpu = newCpu == new OciCpu() ? null : newCpu,
            Memory = newMemory == new OciMemory() ? null : newMemory,
            Pids = request.PidsLimit is { } pids && facts.Limits.Pids ? new OciPids { Limit = pids > 0 ? pids : -1 } : null,
            BlockIO = request.BlkioWeight != 0 && merged.BlkioWeight != 0 ? new OciBlockIo { Weight = (ushort)Math.Clamp(merged.BlkioWeight, 0, ushort.MaxValue) } : null,
        };
        return change is { Cpu: null, Memory: null, Pids: null, BlockIO: null } ? null : change;
    }

    private static long Or(long asked, long had) => asked != 0 ? asked : had;
}
