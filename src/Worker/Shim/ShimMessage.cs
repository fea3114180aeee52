using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Shim;

/// <summary>A request or a reply, and open files that go with it: who sends them gives them away, who receives them must close them.</summary>
internal readonly record struct ShimMessage(ReadOnlyMemory<byte> Payload, ImmutableArray<SafeFileHandle> OpenFiles)
{
    internal ShimMessage(ReadOnlyMemory<byte> payload)
        : this(payload, [])
    {
    }

    /// <summary>Of a request: what awaits a reply goes on on the thread that reads the connection, and does nothing long there.</summary>
    internal bool RepliesInline { get; init; }

    /// <summary>Never default.</summary>
    internal ImmutableArray<SafeFileHandle> Files => OpenFiles.IsDefault ? [] : OpenFiles;

    /// <summary>Nobody takes the files.</summary>
    internal void Close()
    {
        foreach (var file in Files)
            file.Dispose();
    }
}
