using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>The files of a spooled tar by name, with links followed (older <c>docker save</c> links equal layers).</summary>
internal sealed class ArchiveIndex
{
    private const int MostLinks = 8;
    private const long LargestDocument = 16 << 20;

    private readonly Spool _spool;
    private readonly Dictionary<string, (long Offset, long Size)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    internal ArchiveIndex(Spool spool)
    {
        _spool = spool;
        using var file = spool.Open();
        var tar = new TarScanner(file);
        while (tar.Next() is { } entry)
        {
            var name = EntryPath.Clean(entry.Name);
            if (entry.Kind == TarKind.Regular)
                _files[name] = (file.Position, entry.Size);
            else if (entry.Kind == TarKind.HardLink)
                _links[name] = EntryPath.Clean(entry.LinkName);
            else if (entry.Kind == TarKind.Symlink)
                _links[name] = Join(name, entry.LinkName);
        }
        if (!tar.SawEnd)
            throw ImageException.Bad("the archive is cut off: its end marker is missing");
    }

    internal bool Has(string name) => Resolve(name) is not null;

    /// <summary>The file's content.</summary>
    internal Stream Open(string name)
    {
        var (offset, size) = Resolve(name) ?? throw ImageException.Bad($"the archive names {name} but does not hold it");
        return new FilePart(_spool.Open(), offset, size);
    }

    internal byte[] Bytes(string name)
    {
        using var content = Open(name);
        if (content.Length > LargestDocument)
            throw ImageException.Bad($"{name} in the archive has {content.Length} bytes, too many for a document");
        var bytes = new byte[content.Length];
        content.ReadExactly(bytes);
        return bytes;
    }

    internal T Json<T>(string name, JsonTypeInfo<T> type) => Parse(Bytes(name), name, type);

    internal static T Parse<T>(byte[] bytes, string name, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw ImageException.Bad($"{name} in the archive is empty");
        }
        catch (JsonException e)
        {
            throw ImageException.Bad($"{name} in the archive is not valid JSON for its kind: {e.Message}", e);
        }
    }

    private (long Offset, long Size)? Resolve(string name)
    {
        name = EntryPath.Clean(name);
        for (var i = 0; i < MostLinks; i++)
        {
            if (_files.TryGetValue(name, out var file))
                return file;
            if (!_links.TryGetValue(name, out name!))
                return null;
        }
        return null;
    }

    private static string Join(string from, string target)
    {
        var parts = new List<string>(EntryPath.Split(from).Parent.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
        }
        return string.Join('/', parts.Where(p => p != "."));
    }

    /// <summary>A seekable part of a file.</summary>
    private sealed class FilePart : Stream
    {
        private readonly FileStream _file;
        private readonly long _start;

        internal FilePart(FileStream file, long start, long length)
        {
            (_file, _start, Length) = (file, start, length);
            file.Position = start;
        }

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length { get; }

        public override long Position
        {
            get => _file.Position - _start;
            set => _file.Position = _start + value;
        }

        public override int Read(Span<byte> buffer) => _file.Read(buffer[..(int)Math.Min(buffer.Length, Math.Max(0, Length - Position))]);
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _file.Dispose();
            base.Dispose(disposing);
        }

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
