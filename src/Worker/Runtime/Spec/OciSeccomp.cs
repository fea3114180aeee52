using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>A system call filter: the first rule whose conditions hold decides, else <see cref="DefaultAction"/>.</summary>
internal sealed record OciSeccomp
{
    /// <summary><c>SCMP_ACT_…</c> as in libseccomp.</summary>
    public required string DefaultAction { get; init; }

    public uint? DefaultErrnoRet { get; init; }
    public ImmutableArray<string> Architectures { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Flags { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<OciSyscall> Syscalls { get; init => field = value.IsDefault ? [] : value; } = [];
}

internal sealed record OciSyscall
{
    public ImmutableArray<string> Names { get; init => field = value.IsDefault ? [] : value; } = [];
    public required string Action { get; init; }
    public uint? ErrnoRet { get; init; }

    /// <summary>All must hold.</summary>
    public ImmutableArray<OciSyscallArg> Args { get; init => field = value.IsDefault ? [] : value; } = [];
}

internal sealed record OciSyscallArg
{
    public uint Index { get; init; }
    public ulong Value { get; init; }

    /// <summary>For <c>SCMP_CMP_MASKED_EQ</c>: what the argument masked by <see cref="Value"/> must equal.</summary>
    public ulong ValueTwo { get; init; }

    public required string Op { get; init; }
}
