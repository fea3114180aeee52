using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Shared.Streams;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Content;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Unpack;

/// <summary>
/// Layers unpacked for overlayfs, one folder a diff id: <c>layers/HEX/diff</c> and its length in <c>layers/HEX/size</c>. A folder appears by
/// rename after its content is on the disk, so what is there is whole.
/// </summary>
internal sealed class LayerStore(string root, Pins pins)
{
    private const string TemporaryPrefix = "tmp-";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _unpacking = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _sizes = new(StringComparer.Ordinal);
    private int _next;

    /// <summary>Makes the folder and removes what was being unpacked when the last daemon died.</summary>
    internal void Prepare()
    {
        PrivateFolder.Make(root);
        foreach (var left in Directory.EnumerateDirectories(root, TemporaryPrefix + "*"))
            Directory.Delete(left, recursive: true);
    }

    /// <summary>The directory to mount; it exists when <see cref="Has"/> says so.</summary>
    internal string DiffOf(string diffId) => Path.Combine(FolderOf(diffId), "diff");

    internal bool Has(string diffId) => Directory.Exists(FolderOf(diffId));

    /// <summary>Bytes of regular files; 0 for a layer that is not unpacked yet.</summary>
    internal long SizeOf(string diffId)
    {
        // A layer's content never changes, so neither does its length; remembered because every look at an image asks.
        if (_sizes.TryGetValue(diffId, out var known))
            return known;
        var file = Path.Combine(FolderOf(diffId), "size");
        if (!File.Exists(file))
            return 0;
        return _sizes[diffId] = long.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
    }

    /// <summary>Unpacks a layer unless it is there; callers that come while it is being unpacked wait for the same work.</summary>
    /// <exception cref="ImageException">The blob's uncompressed content is not what the diff id says, or cannot be unpacked.</exception>
    internal Task EnsureAsync(string diffId, Func<Stream> openBlob, CancellationToken stop)
    {
        if (Has(diffId))
            return Task.CompletedTask;
        Task work;
        lock (_gate)
        {
            if (!_unpacking.TryGetValue(diffId, out work!))
            {
                if (Has(diffId))
                    return Task.CompletedTask;
                // Not bound to the first caller's token: others may have joined, and the result is useful to whoever comes next.
                work = Task.Run(() => Unpack(diffId, openBlob), CancellationToken.None);
                _unpacking.Add(diffId, work);
            }
        }
        return work.WaitAsync(stop);
    }

    /// <summary>Deletes layers that are neither in what <paramref name="needed"/> answers nor pinned.</summary>
    internal void Collect(Func<IReadOnlySet<string>> needed)
    {
        var graves = new List<string>();
        lock (pins.Gate)
        {
            var keep = needed();
            foreach (var folder in Directory.GetDirectories(root))
            {
                var diffId = Digests.Sha256 + Path.GetFileName(folder);
                if (!Digests.IsValid(diffId) || keep.Contains(diffId) || pins.IsPinned(diffId))
                    continue;
                graves.Add(Temporary());
                Directory.Move(folder, graves[^1]);
            }
        }
        foreach (var grave in graves)
            Directory.Delete(grave, recursive: true);
    }

    private void Unpack(string diffId, Func<Stream> openBlob)
    {
        var temporary = Temporary();
        try
        {
            var diff = Path.Combine(temporary, "diff");
            Directory.CreateDirectory(diff);
            using (var top = FileOps.OpenDirectory(diff))
                FileOps.ChangeMode(top, ".", 0x1ed);
            var size = Fill(diff, diffId, openBlob);
            File.WriteAllText(Path.Combine(temporary, "size"), size.ToString(CultureInfo.InvariantCulture));
            FileOps.SyncFileSystem(temporary);
            Directory.Move(temporary, FolderOf(diffId));
            FileOps.SyncDirectory(root);
        }
        finally
        {
            Forget(diffId);
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }

    private void Forget(string diffId)
    {
        lock (_gate)
            _unpacking.Remove(diffId);
    }

    private static long Fill(string diff, string diffId, Func<Stream> openBlob)
    {
        using var blob = openBlob();
        using var hashing = new HashingStream(Compression.Open(blob, $"layer {ImageIds.Short(diffId)}"));
        using var unpacker = new LayerUnpacker(diff, WhiteoutUse.Convert);
        try
        {
            unpacker.Unpack(new(hashing), CancellationToken.None);
            hashing.Drain();
        }
        catch (InvalidDataException e)
        {
            throw ImageException.Bad($"layer {ImageIds.Short(diffId)} is damaged: {e.Message}", e);
        }
        var actual = hashing.Digest();
        return actual == diffId
            ? unpacker.Size
            : throw ImageException.Bad($"layer content does not fit the image's config: expected {diffId}, unpacked {actual}");
    }

    private string Temporary() => Path.Combine(root, $"{TemporaryPrefix}{Interlocked.Increment(ref _next)}");

    private string FolderOf(string diffId) => Path.Combine(root, Digests.Hex(diffId));

    /// <summary>Passes bytes on and hashes them.</summary>
    private sealed class HashingStream(Stream inner) : ForwardStream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => true;

        internal string Digest() => Digests.Of(_hash.GetHashAndReset());

        /// <summary>Reads what follows the tar's end marker: padding belongs to the digest too.</summary>
        internal void Drain()
        {
            var rest = new byte[64 * 1024];
            while (Read(rest) > 0)
            {
            }
        }

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            _hash.AppendData(buffer[..read]);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _hash.Dispose();
                inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
