using System.Collections.Immutable;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>What a tar entry is; the values are the format's type flags.</summary>
internal enum TarKind : byte
{
    Regular = (byte)'0',
    HardLink = (byte)'1',
    Symlink = (byte)'2',
    Character = (byte)'3',
    Block = (byte)'4',
    Directory = (byte)'5',
    Fifo = (byte)'6',
}

/// <summary>One file of a tar with everything that unpacking must keep.</summary>
internal sealed record TarEntry
{
    public required string Name { get; init; }
    public required TarKind Kind { get; init; }

    /// <summary>Target of a hard link (an entry's name) or of a symbolic link (any text).</summary>
    public string LinkName { get; init; } = "";

    /// <summary>Permission bits with set-id and sticky.</summary>
    public uint Mode { get; init; }

    public uint Uid { get; init; }
    public uint Gid { get; init; }

    /// <summary>Bytes of content; 0 for everything but regular files.</summary>
    public long Size { get; init; }

    public long ModifiedSeconds { get; init; }
    public uint ModifiedNanoseconds { get; init; }
    public uint DeviceMajor { get; init; }
    public uint DeviceMinor { get; init; }

    /// <summary>Extended attributes, values as raw bytes.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<byte>> Xattrs { get; init; } = NoXattrs;

    internal static ImmutableSortedDictionary<string, ImmutableArray<byte>> NoXattrs { get; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<byte>>(StringComparer.Ordinal);
}
