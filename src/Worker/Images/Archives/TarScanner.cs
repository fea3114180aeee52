using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>
/// Reads a tar entry by entry: ustar, GNU long names, PAX. System.Formats.Tar decodes PAX values as text, which destroys
/// <c>security.capability</c>, and rounds times; hence this reader.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "BoundedStream holds nothing of its own.")]
internal sealed class TarScanner(Stream archive)
{
    private const int LongestMeta = 1 << 20;

    private readonly byte[] _block = new byte[TarHeader.BlockSize];
    private readonly Dictionary<string, byte[]> _global = new(StringComparer.Ordinal);
    private BoundedStream _content = new(Stream.Null, 0);
    private long _padding;

    /// <summary>Whether the end marker was read; an archive cut between two entries has none.</summary>
    internal bool SawEnd { get; private set; }

    /// <summary>The content of the entry that <see cref="Next"/> gave last.</summary>
    internal Stream Content => _content;

    /// <summary>The next entry, or null at the end.</summary>
    /// <exception cref="ImageException">The archive is damaged, cut off, or holds what cannot be kept.</exception>
    internal TarEntry? Next()
    {
        var pax = new Dictionary<string, byte[]>(_global, StringComparer.Ordinal);
        string? longName = null, longLink = null;
        while (true)
        {
            SkipContent();
            if (!ReadBlock())
                return null;
            if (_block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            {
                SawEnd = true;
                return null;
            }
            if (!TarHeader.ChecksumFits(_block))
                throw ImageException.Bad("this is not a tar archive, or a damaged one: a header's checksum does not fit");
            var size = TarHeader.Number(_block.AsSpan(124, 12));
            switch ((char)_block[156])
            {
                case 'x':
                    PaxRecords.Read(ReadMeta(size), pax);
                    break;
                case 'g':
                    PaxRecords.Read(ReadMeta(size), _global);
                    foreach (var (key, value) in _global)
                        pax[key] = value;
                    break;
                case 'L':
                    longName = TarHeader.Text(ReadMeta(size));
                    break;
                case 'K':
                    longLink = TarHeader.Text(ReadMeta(size));
                    break;
                default:
                    return Entry(size, pax, longName, longLink);
            }
        }
    }

    private TarEntry Entry(long size, Dictionary<string, byte[]> pax, string? longName, string? longLink)
    {
        var name = Text(pax, "path") ?? longName ?? TarHeader.Name(_block);
        var kind = Kind(name, pax);
        size = Whole(pax, "size") ?? size;
        if (size < 0)
            throw ImageException.Bad($"the archive is damaged: {name} has a negative size");
        // Links carry a size in some archives but never content (POSIX says ignore it).
        if (kind != TarKind.Regular)
            size = 0;
        _content = new(archive, size);
        _padding = (TarHeader.BlockSize - size % TarHeader.BlockSize) % TarHeader.BlockSize;
        var (seconds, nanoseconds) = Time(pax) ?? (TarHeader.Number(_block.AsSpan(136, 12)), 0u);
        return new()
        {
            Name = name,
            Kind = kind,
            LinkName = kind is TarKind.HardLink or TarKind.Symlink
                ? Text(pax, "linkpath") ?? longLink ?? TarHeader.Text(_block.AsSpan(157, 100))
                : "",
            Mode = (uint)TarHeader.Number(_block.AsSpan(100, 8)) & 0xfff,
            Uid = Id(Whole(pax, "uid") ?? TarHeader.Number(_block.AsSpan(108, 8)), name),
            Gid = Id(Whole(pax, "gid") ?? TarHeader.Number(_block.AsSpan(116, 8)), name),
            Size = size,
            ModifiedSeconds = seconds,
            ModifiedNanoseconds = nanoseconds,
            DeviceMajor = kind is TarKind.Character or TarKind.Block ? (uint)TarHeader.Number(_block.AsSpan(329, 8)) : 0,
            DeviceMinor = kind is TarKind.Character or TarKind.Block ? (uint)TarHeader.Number(_block.AsSpan(337, 8)) : 0,
            Xattrs = Xattrs(pax),
        };
    }

    private TarKind Kind(string name, Dictionary<string, byte[]> pax)
    {
        if (pax.Keys.Any(k => k.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
            throw ImageException.Bad($"the archive holds {name} as a sparse file, which is not supported; make the archive without --sparse");
        return (char)_block[156] switch
        {
            '\0' or '0' or '7' => name.EndsWith('/') ? TarKind.Directory : TarKind.Regular,
            >= '1' and <= '6' => (TarKind)_block[156],
            'S' => throw ImageException.Bad($"the archive holds {name} as a sparse file, which is not supported; make the archive without --sparse"),
            var other => throw ImageException.Bad($"the archive holds {name} with type '{other}', which is not supported"),
        };
    }

    private byte[] ReadMeta(long size)
    {
        if (size is < 0 or > LongestMeta)
            throw ImageException.Bad($"the archive has an extended header of {size} bytes; at most {LongestMeta} are taken");
        var body = new byte[size];
        Exactly(body);
        _content = new(Stream.Null, 0);
        _padding = (TarHeader.BlockSize - size % TarHeader.BlockSize) % TarHeader.BlockSize;
        return body;
    }

    private void SkipContent()
    {
        _content.Drain();
        // The docker client ends a context that it adds a Dockerfile to after the last entry's content: no padding, no end marker.
        _ = archive.ReadAtLeast(_block.AsSpan(0, (int)_padding), (int)_padding, throwOnEndOfStream: false);
        _padding = 0;
    }

    private bool ReadBlock()
    {
        var read = archive.ReadAtLeast(_block, _block.Length, throwOnEndOfStream: false);
        return read == _block.Length || (read == 0 ? false : throw BoundedStream.CutOff());
    }

    private void Exactly(Span<byte> buffer)
    {
        if (archive.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
            throw BoundedStream.CutOff();
    }

    private static uint Id(long value, string name) =>
        value is >= 0 and <= uint.MaxValue - 1 ? (uint)value : throw ImageException.Bad($"the archive gives {name} an owner of {value}, which is no uid or gid");

    private static string? Text(Dictionary<string, byte[]> pax, string key) =>
        pax.TryGetValue(key, out var value) && value.Length > 0 ? TarHeader.Utf8(value) : null;

    private static long? Whole(Dictionary<string, byte[]> pax, string key)
    {
        if (Text(pax, key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ImageException.Bad($"the archive is damaged: {key} is \"{text}\"");
    }

    private static (long, uint)? Time(Dictionary<string, byte[]> pax)
    {
        if (Text(pax, "mtime") is not { } text)
            return null;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var fraction = dot < 0 ? "" : text[(dot + 1)..];
        if (!long.TryParse(dot < 0 ? text : text[..dot], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            || !fraction.All(char.IsAsciiDigit))
            throw ImageException.Bad($"the archive is damaged: mtime is \"{text}\"");
        var nanoseconds = uint.Parse(fraction.Length > 9 ? fraction[..9] : fraction.PadRight(9, '0'), CultureInfo.InvariantCulture);
        return text[0] == '-' && nanoseconds > 0 ? (seconds - 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds);
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<byte>> Xattrs(Dictionary<string, byte[]> pax)
    {
        var found = TarEntry.NoXattrs.ToBuilder();
        foreach (var (key, value) in pax)
        {
            if (key.StartsWith(PaxRecords.XattrPrefix, StringComparison.Ordinal))
                found[key[PaxRecords.XattrPrefix.Length..]] = [.. value];
        }
        return found.ToImmutable();
    }
}
