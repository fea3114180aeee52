using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>Steps that several plans need.</summary>
internal static class Step
{
    internal const int NotPermitted = 1;
    internal const int NoEntry = 2;
    internal const int NoProcess = 3;
    internal const int NoMemory = 12;
    internal const int AccessDenied = 13;
    internal const int Exists = 17;
    internal const int NotDirectory = 20;
    internal const int Invalid = 22;
    internal const int NoSuchCall = 38;
    internal const int LoopedLinks = 40;
    internal const int QuotaExceeded = 122;

    internal static readonly ImmutableArray<LaunchStep> None = [];

    private const uint DirectoryMode = 0x1ed;
    private const uint RegularFile = 0x8000;
    private const int AtCwd = -100;
    private const int WriteOnlyCloseOnExec = 0x80001;

    internal static LaunchStep Mount(string? source, string target, string? type, ulong flags, string? data = null) =>
        new($"mount {type ?? source ?? "flags"} on {target}", CallNumber.mount, source, target, type, (long)flags, data);

    /// <summary>Makes the directories of an absolute path; existing ones are fine.</summary>
    internal static IEnumerable<LaunchStep> MakeDirectories(string path)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
            yield return MakeDirectory(path[..slash]);
        if (path.Length > 1)
            yield return MakeDirectory(path);
    }

    /// <summary>Makes an empty file for something to be mounted on, and the directories above it.</summary>
    internal static IEnumerable<LaunchStep> MakeFile(string path) =>
        MakeDirectories(Path.GetDirectoryName(path)!)
            .Append(new LaunchStep($"create {path}", CallNumber.mknod, path, (long)(RegularFile | DirectoryMode), 0) { Tolerate = [Exists] });

    /// <summary>Writes text into a file of the kernel.</summary>
    internal static IEnumerable<LaunchStep> Write(string file, string text) =>
    [
        new($"open {file}", CallNumber.openat, AtCwd, file, WriteOnlyCloseOnExec, 0) { Keep = file },
        new($"write '{text}' to {file}", CallNumber.write, Operand.Result(file), text, System.Text.Encoding.UTF8.GetByteCount(text)),
        new($"close {file}", CallNumber.close, Operand.Result(file)),
    ];

    private static LaunchStep MakeDirectory(string path) =>
        new($"mkdir {path}", CallNumber.mkdir, path, (long)DirectoryMode) { Tolerate = [Exists] };
}
