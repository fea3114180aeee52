using System.Buffers.Binary;
using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>What stands between a process and its program.</summary>
/// <param name="IsSecond">A first process has done <see cref="ProcessPlan.OfTheHost"/>.</param>
/// <param name="InUserNamespace">Its ids are not the host's.</param>
/// <param name="UnderInit">orch's own init is pid 1 and starts the program.</param>
internal readonly record struct ProcessPlace(bool IsSecond, bool InUserNamespace, bool UnderInit);

/// <summary>From a process of the host's root inside the container's file system to the container's own program.</summary>
internal static class ProcessPlan
{
    private const int KeepCapabilities = 8;
    private const int DropBounding = 24;
    private const int SetNoNewPrivileges = 38;
    private const int Ambient = 47;
    private const int AmbientRaise = 2;
    private const int AmbientClear = 4;
    private const uint CapabilityVersion3 = 0x20080522;
    private const int SeccompSetFilter = 1;
    private const int LastCapability = 63;
    private const uint DefaultUmask = 0x12;

    private static readonly ImmutableArray<string> LimitNames =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    /// <summary>By number.</summary>
    private static readonly ImmutableArray<LaunchStep> Drops =
        [.. Enumerable.Range(0, LastCapability + 1).Select(number => new LaunchStep($"drop capability {number}", CallNumber.prctl, DropBounding, number))];

    internal static ImmutableArray<LaunchStep> For(
        OciProcess process, ProcessPlace place, HostFacts host, SeccompFilter? filter, ImmutableArray<string>.Builder warnings)
    {
        var user = process.User;
        // What the first of two processes has said already is not said twice.
        var said = place.IsSecond ? ImmutableArray.CreateBuilder<string>() : warnings;
        // Whoever enters a user namespace has every capability in it, whatever the host withholds.
        var there = place.InUserNamespace ? host with { Bounding = host.Known, Permitted = host.Known } : host;
        // A filter without no_new_privs needs CAP_SYS_ADMIN, so it is loaded before that goes; with it, as late as can be.
        ImmutableArray<LaunchStep> load = filter is null ? [] :
            [new LaunchStep("load the seccomp filter", CallNumber.seccomp, SeccompSetFilter, filter.Flags, Operand.Filter(filter.Instructions))];
        return
        [
            // Before the filter, which may not know the call. Without a known mask there is an empty one, and nothing was restricted.
            new LaunchStep("run on any processor", CallNumber.sched_setaffinity, 0, Operand.ProcessorsSize, Operand.Processors) { Tolerate = [Step.Invalid] },
            new LaunchStep($"chdir {process.Cwd}", CallNumber.chdir, process.Cwd),
            .. place.IsSecond ? [] : OomScore(process, host, warnings),
            .. process.Rlimits.SelectMany(limit => Limit(limit, host, said)),
            .. process.NoNewPrivileges ? [] : load,
            .. Privileges(process, there, warnings),
            new LaunchStep("umask", CallNumber.umask, (long)(user.Umask ?? DefaultUmask)),
            .. process.NoNewPrivileges ? [new LaunchStep("set no_new_privs", CallNumber.prctl, SetNoNewPrivileges, 1), .. load] : Step.None,
            .. ExecPlan.For(process, place.UnderInit),
        ];
    }

    /// <summary>
    /// What needs the host's own privileges and is inherited: the memory killer's score, and limits above the launching process's. Such a
    /// limit is soft and hard at first, for descriptors are still to be opened; the exact one follows.
    /// </summary>
    internal static ImmutableArray<LaunchStep> OfTheHost(OciProcess process, HostFacts host, ImmutableArray<string>.Builder warnings) =>
    [
        .. OomScore(process, host, warnings),
        .. process.Rlimits.SelectMany(limit => LimitNames.IndexOf(limit.Type) is >= 0 and var number && limit.Hard > host.HardLimits[number]
            ? Limit(limit with { Soft = limit.Hard }, host, warnings)
            : Step.None),
    ];

    private static IEnumerable<LaunchStep> OomScore(OciProcess process, HostFacts host, ImmutableArray<string>.Builder warnings)
    {
        var wanted = process.OomScoreAdj ?? 0;
        var score = host.Has(Capabilities.SysResource) ? wanted : Math.Max(wanted, Math.Min(host.OomScoreAdj, 0));
        if (score != wanted)
            warnings.Add($"oom_score_adj {wanted} needs CAP_SYS_RESOURCE, which this host withholds: {score} is used.");
        return score == host.OomScoreAdj ? [] : Step.Write("/proc/self/oom_score_adj", score.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static ImmutableArray<LaunchStep> Limit(OciRlimit limit, HostFacts host, ImmutableArray<string>.Builder warnings)
    {
        var number = LimitNames.IndexOf(limit.Type);
        if (number < 0)
            throw new RuntimeException($"'{limit.Type}' is not a resource limit.");
        if (limit.Soft > limit.Hard)
            throw new RuntimeException($"The soft {limit.Type} {limit.Soft} is above the hard one {limit.Hard}.");
        var hard = host.Has(Capabilities.SysResource) ? limit.Hard : Math.Min(limit.Hard, host.HardLimits[number]);
        var soft = Math.Min(limit.Soft, hard);
        if (hard != limit.Hard)
            warnings.Add($"{limit.Type} {limit.Hard} needs CAP_SYS_RESOURCE, which this host withholds: {hard} is used.");
        var pair = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(pair, soft);
        BinaryPrimitives.WriteUInt64LittleEndian(pair.AsSpan(8), hard);
        return [new LaunchStep($"set {limit.Type} to {soft}:{hard}", CallNumber.prlimit64, 0, number, Operand.Bytes([.. pair]), 0)];
    }

    private static List<LaunchStep> Privileges(OciProcess process, HostFacts host, ImmutableArray<string>.Builder warnings)
    {
        var user = process.User;
        var sets = process.Capabilities ?? new OciCapabilities();
        var bounding = Capabilities.Mask(sets.Bounding) & host.Bounding;
        var permitted = Capabilities.Mask(sets.Permitted) & host.Permitted;
        var effective = Capabilities.Mask(sets.Effective) & permitted;
        var inheritable = Capabilities.Mask(sets.Inheritable) & host.Permitted & host.Bounding;
        var ambient = Capabilities.Mask(sets.Ambient) & permitted & inheritable;
        if (Capabilities.Mask(sets.Bounding) != bounding)
            warnings.Add($"This host does not have {Names(Capabilities.Mask(sets.Bounding) & ~bounding)} to give.");

        var steps = new List<LaunchStep>();
        for (var number = 0; number <= LastCapability; number++)
        {
            if (((host.Bounding & ~bounding) >> number & 1) != 0)
                steps.Add(Drops[number]);
        }
        if (user.Uid != 0)
            steps.Add(new LaunchStep("keep capabilities", CallNumber.prctl, KeepCapabilities, 1));
        steps.Add(new LaunchStep("set groups", CallNumber.setgroups, user.AdditionalGids.Length, Groups(user.AdditionalGids)));
        steps.Add(new LaunchStep($"become group {user.Gid}", CallNumber.setresgid, user.Gid, user.Gid, user.Gid));
        steps.Add(new LaunchStep($"become user {user.Uid}", CallNumber.setresuid, user.Uid, user.Uid, user.Uid));
        steps.Add(new LaunchStep("set capabilities", CallNumber.capset, Header(), Data(effective, permitted, inheritable)));
        steps.Add(new LaunchStep("clear ambient capabilities", CallNumber.prctl, Ambient, AmbientClear, 0, 0, 0));
        for (var number = 0; number <= LastCapability; number++)
        {
            if ((ambient >> number & 1) != 0)
                steps.Add(new LaunchStep($"raise ambient capability {number}", CallNumber.prctl, Ambient, AmbientRaise, number, 0, 0));
        }
        return steps;
    }

    private static string Names(ulong mask) =>
        string.Join(", ", Enumerable.Range(0, Capabilities.All.Length).Where(n => (mask >> n & 1) != 0).Select(n => Capabilities.All[n]));

    private static Operand Groups(ImmutableArray<uint> groups)
    {
        var bytes = new byte[groups.Length * sizeof(uint)];
        for (var i = 0; i < groups.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), groups[i]);
        return Operand.Bytes([.. bytes]);
    }

    private static Operand Header()
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, CapabilityVersion3);
        return Operand.Bytes([.. bytes]);
    }

    /// <summary>Two of struct { u32 effective, permitted, inheritable }: lower and upper halves.</summary>
    private static Operand Data(ulong effective, ulong permitted, ulong inheritable)
    {
        var bytes = new byte[24];
        var sets = new[] { effective, permitted, inheritable };
        for (var i = 0; i < sets.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), (uint)sets[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12 + (4 * i)), (uint)(sets[i] >> 32));
        }
        return Operand.Bytes([.. bytes]);
    }
}
