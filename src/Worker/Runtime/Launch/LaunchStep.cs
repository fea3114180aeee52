using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Launch;

/// <summary>One system call that the new process makes before it becomes the container's program.</summary>
/// <param name="Name">What it does to what; begins the sentence when it fails (<c>mount overlay on /…</c>).</param>
internal sealed record LaunchStep(string Name, CallNumber Call, params ImmutableArray<Operand> Arguments)
{
    /// <summary>errno values (1 to 255, four at most) that do not fail the launch.</summary>
    public ImmutableArray<int> Tolerate { get; init; } = [];

    /// <summary>Keeps the result under this name, for <see cref="Operand.Result"/> and for who reads the outcome.</summary>
    public string? Keep { get; init; }

    /// <summary>When the result is 0 (the child of a clone), goes on at the step with this label.</summary>
    public string? JumpWhenZero { get; init; }

    /// <summary>Where a jump may lead.</summary>
    public string? Label { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

internal enum OperandKind
{
    Number,
    Text,
    Bytes,
    Texts,
    Result,
    File,
    Pointers,
    CloneArguments,
    Processors,
}

/// <summary>One argument of a system call: a number, or memory that the program carries along.</summary>
internal readonly record struct Operand(OperandKind Kind, long Value, object? Content)
{
    public static implicit operator Operand(long number) => new(OperandKind.Number, number, null);

    /// <summary>Address of the text, zero-terminated; null is a null pointer.</summary>
    public static implicit operator Operand(string? text) => text is null ? (Operand)0L : new Operand(OperandKind.Text, 0, text);

    /// <summary>Address of these bytes; the kernel may write into them.</summary>
    internal static Operand Bytes(ImmutableArray<byte> content) => new(OperandKind.Bytes, 0, content);

    /// <summary>Address of a null-terminated array of texts (argv, envp).</summary>
    internal static Operand Texts(ImmutableArray<string> content) => new(OperandKind.Texts, 0, content);

    /// <summary>Address of a length (16 bits, padded to 8 bytes) and a pointer to the bytes: sock_fprog.</summary>
    internal static Operand Filter(ImmutableArray<ulong> instructions) => new(OperandKind.Pointers, 0, instructions);

    /// <summary>
    /// Address of the arguments of a clone3 inside the program, with these CLONE_* flags: the process that it makes is the launching
    /// process's own child, and it is that one whose program counts.
    /// </summary>
    internal static Operand InnerClone(ulong flags) => new(OperandKind.CloneArguments, (long)flags, null);

    /// <summary>Size of what <see cref="InnerClone"/> points to.</summary>
    internal const long CloneSize = 88;

    /// <summary>What an earlier step kept under the name.</summary>
    internal static Operand Result(string name) => new(OperandKind.Result, 0, name);

    /// <summary>
    /// Address of a mask of the processors that the launching thread may use. A program that has it is kept, with that thread, on one processor up
    /// to there: the thread waits for its child, and a child that begins on another processor waits for whoever computes there.
    /// </summary>
    internal static Operand Processors { get; } = new(OperandKind.Processors, 0, null);

    /// <summary>Size of what <see cref="Processors"/> points to.</summary>
    internal const long ProcessorsSize = Linux.Processors.MaskSize;

    /// <summary>A descriptor that the launching process opened beforehand under the name.</summary>
    internal static Operand File(string name) => new(OperandKind.File, 0, name);
}
