using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Worker.Images.Content;

/// <summary>What one holder (a container) keeps: an image's layers by diff id, bottom first.</summary>
internal sealed record Holding(string HolderId, string ImageId, ImmutableArray<string> DiffIds)
{
    internal string ToLine() => $"+ {HolderId} {ImageId} {string.Join(' ', DiffIds)}".TrimEnd() + "\n";
}

/// <summary>
/// Who holds which layers, so that collection after a restart knows. One appended line for each change and no fsync, because it is on a
/// container's hot path: a killed daemon loses nothing, and after a power cut recovery acquires again for each container that it finds.
/// </summary>
internal sealed class Holders(string path) : IDisposable
{
    private const long CompactAt = 1 << 20;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Holding> _all = new(StringComparer.Ordinal);
    private FileStream? _log;

    internal ICollection<Holding> All => _all.Values;

    internal void Load()
    {
        lock (_gate)
        {
            Read();
            Compact();
        }
    }

    internal Holding? Find(string holderId) => _all.GetValueOrDefault(holderId);

    internal void Put(Holding holding)
    {
        if (holding.HolderId.Length == 0 || holding.HolderId.Any(char.IsWhiteSpace))
            throw new ArgumentException($"\"{holding.HolderId}\" cannot be a holder's id", nameof(holding));
        lock (_gate)
        {
            if (_all.TryGetValue(holding.HolderId, out var old) && old.ImageId == holding.ImageId)
                return;
            Append(holding.ToLine());
            _all[holding.HolderId] = holding;
        }
    }

    internal bool Remove(string holderId)
    {
        lock (_gate)
        {
            if (!_all.ContainsKey(holderId))
                return false;
            try
            {
                Append($"- {holderId}\n");
            }
            catch (IOException)
            {
                Strike(holderId); // no room for a line: what goes must be able to go
            }

            return _all.TryRemove(holderId, out _);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _log?.Dispose();
    }

    /// <summary>Writes over the beginning of the holder's line, in place.</summary>
    private void Strike(string holderId)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var line = Encoding.UTF8.GetBytes($"+ {holderId} ");
        for (var at = 0; at < bytes.Length; at = Array.IndexOf(bytes, (byte)'\n', at) is >= 0 and var end ? end + 1 : bytes.Length)
        {
            if (!bytes.AsSpan(at).StartsWith(line))
                continue;
            file.Position = at;
            file.WriteByte((byte)'#');
        }

        file.Flush(flushToDisk: false);
    }

    private void Append(string line)
    {
        var log = _log ?? throw new InvalidOperationException("the holders were not loaded");
        var before = log.Length;
        try
        {
            log.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (IOException)
        {
            // Half a line would swallow the next one.
            log.SetLength(before);
            throw;
        }

        if (log.Length > CompactAt)
            Compact();
    }

    private void Read()
    {
        if (!File.Exists(path))
            return;
        var text = File.ReadAllText(path);
        // What follows the last newline was being written when the machine stopped.
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (words is ["-", var gone])
                _all.TryRemove(gone, out _);
            else if (words is ["+", var holder, var image, .. var diffIds] && Digests.IsValid(image) && diffIds.All(Digests.IsValid))
                _all[holder] = new(holder, image, [.. diffIds]);
        }
    }

    /// <summary>A disk without room leaves the log as it is, only longer.</summary>
    private void Compact()
    {
        try
        {
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(string.Concat(_all.Values.Select(h => h.ToLine()))));
        }
        catch (IOException) when (File.Exists(path))
        {
            CutTorn();
            _log ??= Open();
            return;
        }

        _log?.Dispose();
        _log = Open();
    }

    private FileStream Open() => new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 0);

    /// <summary>What follows the last newline would become the beginning of the next line.</summary>
    private void CutTorn()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        for (var end = file.Length; end > 0; end--)
        {
            file.Position = end - 1;
            if (file.ReadByte() != '\n')
                continue;
            if (end < file.Length)
                file.SetLength(end);
            return;
        }

        file.SetLength(0);
    }
}
