using System.CommandLine;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>How much of the host the container may use.</summary>
internal sealed partial class RunFlags
{
    private readonly Option<string?> _memory = Flags.Text("--memory", "Memory limit", "bytes", "-m");
    private readonly Option<string?> _memoryReservation = Flags.Text("--memory-reservation", "Memory soft limit", "bytes");
    private readonly Option<string?> _memorySwap = Flags.Text("--memory-swap", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", "bytes");
    private readonly Option<string?> _swappiness = Flags.Text("--memory-swappiness", "Tune container memory swappiness (0 to 100)", "int");
    private readonly Option<bool> _oomKillDisable = Flags.Switch("--oom-kill-disable", "Disable OOM Killer");
    private readonly Option<string?> _oomScore = Flags.Text("--oom-score-adj", "Tune host's OOM preferences (-1000 to 1000)", "int");
    private readonly Option<string?> _cpus = Flags.Text("--cpus", "Number of CPUs", "decimal");
    private readonly Option<string?> _cpuShares = Flags.Text("--cpu-shares", "CPU shares (relative weight)", "int", "-c");
    private readonly Option<string?> _cpuPeriod = Flags.Text("--cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period", "int");
    private readonly Option<string?> _cpuQuota = Flags.Text("--cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota", "int");
    private readonly Option<string?> _rtPeriod = Flags.Text("--cpu-rt-period", "Limit CPU real-time period in microseconds", "int");
    private readonly Option<string?> _rtRuntime = Flags.Text("--cpu-rt-runtime", "Limit CPU real-time runtime in microseconds", "int");
    private readonly Option<string?> _cpusetCpus = Flags.Text("--cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)");
    private readonly Option<string?> _cpusetMems = Flags.Text("--cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)");
    private readonly Option<string?> _pids = Flags.Text("--pids-limit", "Tune container pids limit (set -1 for unlimited)", "int");
    private readonly Option<string[]> _ulimit = Flags.List("--ulimit", "Ulimit options", "ulimit");
    private readonly Option<string?> _blkioWeight = Flags.Text("--blkio-weight", "Block IO (relative weight), between 10 and 1000, or 0 to disable", "uint16");
    private readonly Option<string[]> _blkioWeightDevice = Flags.List("--blkio-weight-device", "Block IO weight (relative device weight)", "list");
    private readonly Option<string[]> _readBps = Flags.List("--device-read-bps", "Limit read rate (bytes per second) from a device", "list");
    private readonly Option<string[]> _writeBps = Flags.List("--device-write-bps", "Limit write rate (bytes per second) to a device", "list");
    private readonly Option<string[]> _readIops = Flags.List("--device-read-iops", "Limit read rate (IO per second) from a device", "list");
    private readonly Option<string[]> _writeIops = Flags.List("--device-write-iops", "Limit write rate (IO per second) to a device", "list");

    private IEnumerable<Option> LimitOptions =>
    [
        _memory, _memoryReservation, _memorySwap, _swappiness, _oomKillDisable, _oomScore, _cpus, _cpuShares, _cpuPeriod, _cpuQuota, _rtPeriod,
        _rtRuntime, _cpusetCpus, _cpusetMems, _pids, _ulimit, _blkioWeight, _blkioWeightDevice, _readBps, _writeBps, _readIops, _writeIops,
    ];

    private HostConfig Limits(Invocation call, HostConfig host) => host with
    {
        Memory = Number(call, _memory, ByteSizes.Parse) ?? 0,
        MemoryReservation = Number(call, _memoryReservation, ByteSizes.Parse) ?? 0,
        MemorySwap = call.Get(_memorySwap) == "-1" ? -1 : Number(call, _memorySwap, ByteSizes.Parse) ?? 0,
        MemorySwappiness = ServiceFlags.Whole(call, _swappiness),
        OomKillDisable = call.Has(_oomKillDisable) ? call.Get(_oomKillDisable) : null,
        OomScoreAdj = ServiceFlags.Whole(call, _oomScore) ?? 0,
        NanoCpus = Number(call, _cpus, CpuAmounts.Parse) ?? 0,
        CpuShares = ServiceFlags.Whole(call, _cpuShares) ?? 0,
        CpuPeriod = ServiceFlags.Whole(call, _cpuPeriod) ?? 0,
        CpuQuota = ServiceFlags.Whole(call, _cpuQuota) ?? 0,
        CpuRealtimePeriod = ServiceFlags.Whole(call, _rtPeriod) ?? 0,
        CpuRealtimeRuntime = ServiceFlags.Whole(call, _rtRuntime) ?? 0,
        CpusetCpus = call.Get(_cpusetCpus),
        CpusetMems = call.Get(_cpusetMems),
        PidsLimit = ServiceFlags.Whole(call, _pids),
        Ulimits = [.. Given(call, _ulimit).Select(ServiceFlags.Ulimit)],
        BlkioWeight = (int?)ServiceFlags.Whole(call, _blkioWeight) ?? 0,
        BlkioWeightDevice = [.. Given(call, _blkioWeightDevice).Select(DeviceFlag.Weight)],
        BlkioDeviceReadBps = [.. Given(call, _readBps).Select(DeviceFlag.Bytes)],
        BlkioDeviceWriteBps = [.. Given(call, _writeBps).Select(DeviceFlag.Bytes)],
        BlkioDeviceReadIops = [.. Given(call, _readIops).Select(DeviceFlag.Operations)],
        BlkioDeviceWriteIops = [.. Given(call, _writeIops).Select(DeviceFlag.Operations)],
    };
}
