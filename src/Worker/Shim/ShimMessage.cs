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

    /// <summary>Never default.</summary>
    internal ImmutableArray<SafeFileHandle> Files => OpenFiles.IsDefault ? [] : OpenFiles;

    /// <summary>Nobody takes the files.</summary>
    internal void Close()
    {
        foreach (var file in Files)
            file.Dispose();
    }
}
