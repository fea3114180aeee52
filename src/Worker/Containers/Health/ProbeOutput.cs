using System.Text;

namespace Orchestrator.Worker.Containers.Health;

/// <summary>The beginning of what a probe prints; the rest is read and thrown away, so that nothing that writes much is held up.</summary>
internal sealed class ProbeOutput
{
    internal const int Most = 4096;

    private readonly byte[] kept = new byte[Most];
    private readonly Lock guard = new();
    private int length;
    private bool truncated;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        lock (guard)
        {
            var taken = Math.Min(bytes.Length, Most - length);
            bytes[..taken].CopyTo(kept.AsSpan(length));
            length += taken;
            truncated |= taken < bytes.Length;
        }
    }

    internal async Task ReadAsync(Stream? source, CancellationToken stop)
    {
        if (source is null)
            return;
        var buffer = new byte[Most];
        while (await source.ReadAsync(buffer, stop) is var read and > 0)
            Add(buffer.AsSpan(0, read));
    }

    public override string ToString()
    {
        lock (guard)
            return Encoding.UTF8.GetString(kept, 0, length) + (truncated ? "..." : "");
    }
}
