using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Launch;

/// <summary>Launch steps laid out in native memory, as the interpreter reads them. Nothing in it is touched by the collector.</summary>
internal sealed unsafe class LaunchProgram : IDisposable
{
    private const int ArenaChunk = 64 * 1024;
    private const int CloneArgsSize = 88;
    private const ushort JumpFlag = 0x100;
    private const ulong ClonePidFd = 0x1000;
    private const ulong CloneVm = 0x100;
    private const ulong CloneVfork = 0x4000;
    private const ulong CloneClearHandlers = 0x100000000;
    private const ulong CloneIntoCgroup = 0x200000000;
    private const ulong CloneParent = 0x8000;
    private const ulong CloneParentSetTid = 0x100000;

    private readonly ImmutableArray<LaunchStep> steps;
    private readonly IReadOnlyDictionary<string, int> files;
    private readonly Dictionary<string, nint> results = [];
    private readonly List<nint> chunks = [];
    private readonly Dictionary<object, long> encoded = new(ReferenceEqualityComparer.Instance);
    private readonly Record* records;
    private readonly long* status;
    private int* innerPid;
    private byte* processors;
    private byte* free;
    private int room;

    internal LaunchProgram(ImmutableArray<LaunchStep> steps, IReadOnlyDictionary<string, int> files)
    {
        this.steps = steps;
        this.files = files;
        records = (Record*)Allocate(steps.Length * sizeof(Record));
        status = (long*)Allocate(2 * sizeof(long));
        var labels = new Dictionary<string, int>();
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Label is { } label)
                labels.Add(label, i);
            if (steps[i].Keep is { } name)
                results.TryAdd(name, (nint)Allocate(sizeof(long)));
        }
        for (var i = 0; i < steps.Length; i++)
            Encode(steps[i], records + i, labels);
    }

    /// <summary>Forks and runs. Throws when the program failed; then no process is left.</summary>
    /// <param name="namespaces">CLONE_NEW* of those that are made for it.</param>
    /// <param name="cgroup">The v2 group that it is born in.</param>
    /// <param name="among">The process whose pid namespace it is born in; null: this one's.</param>
    internal LaunchedProcess Run(ulong namespaces, int? cgroup, SafeFileHandle? among = null)
    {
        // The memory is shared until the program is executed, and we wait for that: CLONE_VM alone would let the kernel's
        // memory killer choose us for what the child did.
        var arguments = (ulong*)Allocate(CloneArgsSize);
        var pidFd = (int*)Allocate(sizeof(int));
        *pidFd = -1;
        arguments[0] = namespaces | ClonePidFd | CloneVm | CloneVfork | CloneClearHandlers | (cgroup is null ? 0 : CloneIntoCgroup);
        arguments[1] = (ulong)pidFd;
        arguments[4] = 0; // no signal to us: the descriptor tells
        arguments[10] = (ulong)(cgroup ?? 0);
        var context = (Context*)Allocate(sizeof(Context));
        *context = new Context { First = records, Status = status, CloneArguments = arguments, Size = CloneArgsSize };

        var pid = among is null ? RunHere(context) : RunAmong(context, among);
        if (pid < 0)
            throw new LinuxException("clone3", (int)-pid);
        var handle = new SafeFileHandle(*pidFd, ownsHandle: true);
        if (innerPid is not null && *innerPid > 0)
        {
            // The first one has done its part and ends; the one it made is our child too, so its number is not used again.
            using (handle)
                PidFd.Wait(handle);
            pid = *innerPid;
            handle = PidFd.Open((int)pid);
        }
        if (status[0] == 0)
            return new LaunchedProcess((int)pid, handle);
        using (handle)
        {
            PidFd.Signal(handle, 9);
            PidFd.Wait(handle);
        }
        var failed = (int)((Record*)status[1] - records);
        throw new LaunchFailedException(steps[failed], (int)-status[0], KeptResults());
    }

    private long RunAmong(Context* context, SafeFileHandle process)
    {
        ChildPids.BornWith(process);
        try
        {
            return RunHere(context);
        }
        finally
        {
            ChildPids.BornHere();
        }
    }

    private long RunHere(Context* context)
    {
        if (processors is null || !Linux.Processors.TryStay(processors))
            return Interpreter.Run(context);
        var pid = Interpreter.Run(context);
        Linux.Processors.Use(processors);
        return pid;
    }

    /// <summary>Forks and lets the child, which shares nothing with us, walk the program; it may go on when this returns.</summary>
    internal LaunchedProcess Fork(ulong namespaces)
    {
        var arguments = (ulong*)Allocate(CloneArgsSize);
        var pidFd = (int*)Allocate(sizeof(int));
        arguments[0] = namespaces | ClonePidFd | CloneClearHandlers;
        arguments[1] = (ulong)pidFd;
        var context = (Context*)Allocate(sizeof(Context));
        *context = new Context { First = records, Status = status, CloneArguments = arguments, Size = CloneArgsSize };
        var pid = Interpreter.Run(context);
        return pid > 0
            ? new LaunchedProcess((int)pid, new SafeFileHandle(*pidFd, ownsHandle: true))
            : throw new LinuxException("clone3", (int)-pid);
    }

    /// <summary>What a step kept, after <see cref="Run"/>.</summary>
    internal long Kept(string name) => *(long*)results[name];

    public void Dispose()
    {
        foreach (var chunk in chunks)
            NativeMemory.Free((void*)chunk);
        chunks.Clear();
    }

    private ImmutableDictionary<string, long> KeptResults() =>
        results.ToImmutableDictionary(r => r.Key, r => *(long*)r.Value);

    private void Encode(LaunchStep step, Record* record, Dictionary<string, int> labels)
    {
        record->Number = (ushort)step.Call;
        for (var i = 0; i < step.Tolerate.Length; i++)
            record->Tolerated[i] = (byte)step.Tolerate[i];
        for (var i = 0; i < step.Arguments.Length; i++)
        {
            record->Arguments[i] = Encode(step.Arguments[i]);
            if (step.Arguments[i].Kind == OperandKind.Result)
                record->Flags |= (ushort)(1 << i);
        }
        if (step.JumpWhenZero is { } label)
        {
            record->Flags |= JumpFlag;
            record->Extra = (long)(records + labels[label]);
        }
        else if (step.Keep is { } name)
        {
            record->Extra = results[name];
        }
    }

    private long Encode(Operand operand) => operand.Kind switch
    {
        OperandKind.Number => operand.Value,
        OperandKind.Text => (long)Text((string)operand.Content!),
        OperandKind.Bytes => (long)Copy(((ImmutableArray<byte>)operand.Content!).AsSpan()),
        OperandKind.Texts => Once(operand.Content!, content => (long)Texts((ImmutableArray<string>)content)),
        OperandKind.Pointers => (long)Filter((ImmutableArray<ulong>)operand.Content!),
        OperandKind.Result => results[(string)operand.Content!],
        OperandKind.File => files[(string)operand.Content!],
        OperandKind.Processors => (long)(processors = processors is null ? Allocate(Linux.Processors.MaskSize) : processors),
        OperandKind.CloneArguments => (long)InnerClone((ulong)operand.Value),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Memory is shared for as long as the outer process waits for the inner one's exec, as with the outer one itself.</summary>
    private ulong* InnerClone(ulong flags)
    {
        innerPid = (int*)Allocate(sizeof(int));
        var arguments = (ulong*)Allocate(CloneArgsSize);
        arguments[0] = flags | CloneVm | CloneVfork | CloneParent | CloneParentSetTid | CloneClearHandlers;
        arguments[3] = (ulong)innerPid;
        return arguments;
    }

    /// <summary>argv and environment are shared by every place that is tried for the program.</summary>
    private long Once(object content, Func<object, long> encode)
    {
        if (!encoded.TryGetValue(content, out var address))
            encoded.Add(content, address = encode(content));
        return address;
    }

    private byte* Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var into = Allocate(length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(into, length));
        return into;
    }

    private byte* Texts(ImmutableArray<string> texts)
    {
        var into = (byte**)Allocate((texts.Length + 1) * sizeof(byte*));
        for (var i = 0; i < texts.Length; i++)
            into[i] = Text(texts[i]);
        return (byte*)into;
    }

    private byte* Filter(ImmutableArray<ulong> instructions)
    {
        var into = (ulong*)Allocate(2 * sizeof(ulong));
        into[0] = (ulong)instructions.Length;
        into[1] = (ulong)Copy(MemoryMarshal.AsBytes(instructions.AsSpan()));
        return (byte*)into;
    }

    private byte* Copy(ReadOnlySpan<byte> content)
    {
        var into = Allocate(content.Length);
        content.CopyTo(new Span<byte>(into, content.Length));
        return into;
    }

    private byte* Allocate(int size)
    {
        size = (Math.Max(size, 1) + 15) & ~15;
        if (size > room)
        {
            room = Math.Max(size, ArenaChunk);
            free = (byte*)NativeMemory.AllocZeroed((nuint)room);
            chunks.Add((nint)free);
        }
        var result = free;
        free += size;
        room -= size;
        return result;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        internal ushort Number;
        internal ushort Flags;
        internal fixed byte Tolerated[4];
        internal fixed long Arguments[6];
        internal long Extra;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Context
    {
        internal Record* First;
        internal long* Status;
        internal ulong* CloneArguments;
        internal long Size;
    }
}
