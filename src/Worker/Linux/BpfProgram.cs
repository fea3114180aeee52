using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>eBPF programs on cgroups (bpf(2)).</summary>
internal static unsafe partial class BpfProgram
{
    internal const uint TypeCgroupDevice = 15;
    internal const uint AttachCgroupDevice = 6;

    private const nint BpfNumber = 321;
    private const int ProgramLoad = 5;
    private const int ProgramAttach = 8;
    private const uint AllowMulti = 2;

    internal static SafeFileHandle Load(uint type, ImmutableArray<ulong> instructions)
    {
        var attributes = stackalloc ulong[18];
        new Span<ulong>(attributes, 18).Clear();
        fixed (ulong* code = instructions.AsSpan())
        fixed (byte* license = "Apache-2.0\0"u8)
        {
            attributes[0] = type | ((ulong)instructions.Length << 32);
            attributes[1] = (ulong)code;
            attributes[2] = (ulong)license;
            var fd = syscall(BpfNumber, ProgramLoad, (nint)attributes, 144);
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw LinuxException.Last("bpf load a cgroup program");
        }
    }

    /// <summary>The program stays attached until the group is removed.</summary>
    internal static void Attach(SafeFileHandle program, SafeFileHandle cgroup, uint attachType, string subject)
    {
        var attributes = stackalloc uint[32];
        new Span<uint>(attributes, 32).Clear();
        attributes[0] = (uint)cgroup.DangerousGetHandle();
        attributes[1] = (uint)program.DangerousGetHandle();
        attributes[2] = attachType;
        attributes[3] = AllowMulti;
        var result = syscall(BpfNumber, ProgramAttach, (nint)attributes, 128);
        GC.KeepAlive(cgroup);
        GC.KeepAlive(program);
        if (result == -1)
            throw LinuxException.Last($"bpf attach to {subject}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
