using System.IO.Compression;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Tells by the first bytes how a stream is compressed.</summary>
internal static class Compression
{
    /// <summary>As <see cref="Open"/>, of a stream that can be read once only, which goes with what is made of it.</summary>
    internal static Stream OpenForward(Stream once, string what)
    {
        var head = new byte[6];
        var read = once.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        using var start = new MemoryStream(head, 0, read, writable: false);
        var plain = ReferenceEquals(Open(start, what), start);
        var whole = new PrefixedStream(head.AsMemory(0, read), once);
        return plain ? whole : new GZipStream(whole, CompressionMode.Decompress);
    }

    /// <summary>The stream uncompressed. What is neither gzip nor plain is refused by name.</summary>
    internal static Stream Open(Stream seekable, string what)
    {
        Span<byte> magic = stackalloc byte[6];
        var start = seekable.Position;
        var read = seekable.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        seekable.Position = start;
        magic = magic[..read];
        if (magic.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
            return new GZipStream(seekable, CompressionMode.Decompress);
        var unknown =
            magic.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) ? "zstd"
            : magic.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? "xz"
            : magic.StartsWith("BZh"u8) ? "bzip2"
            : null;
        return unknown is null
            ? seekable
            : throw ImageException.Bad($"{what} is compressed with {unknown}, which is not supported; use gzip or no compression");
    }
}
