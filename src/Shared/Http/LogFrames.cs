using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Shared.Http;

/// <summary>
/// Writes log records as the Engine API streams them (spec, "Attach to a container", stream format): a frame of
/// <c>{stream, 0, 0, 0, length as 32 bits big-endian}</c> and the line, or the bare lines of a terminal.
/// </summary>
public sealed class LogFrames(PipeWriter target, LogFraming framing, bool timestamps)
{
    private const int SendAt = 32 << 10;

    /// <summary>Puts one record into the target's buffer; <paramref name="details"/> are already encoded, empty for none.</summary>
    public void Write(LogRecord record, string details = "")
    {
        var head = (timestamps ? ApiTimes.Fixed(record.Time) + " " : "") + (details.Length > 0 ? details + " " : "");
        var length = Encoding.UTF8.GetByteCount(head) + record.Line.Length;
        if (framing == LogFraming.Multiplexed)
        {
            var frame = target.GetSpan(8);
            frame[..4].Clear();
            frame[0] = record.Stream == "stderr" ? (byte)2 : (byte)1;
            BinaryPrimitives.WriteInt32BigEndian(frame[4..], length);
            target.Advance(8);
        }

        if (head.Length > 0)
            Encoding.UTF8.GetBytes(head, target);
        target.Write(record.Line.Span);
    }

    /// <summary>
    /// Says that the stream is not whole, and why: a frame of kind 3, which stock clients end with and show as an error. A terminal's bare bytes have no
    /// such place, so there it is a line.
    /// </summary>
    public async Task WriteErrorAsync(string sentence, CancellationToken stop)
    {
        var text = Encoding.UTF8.GetBytes(sentence + "\n");
        if (framing == LogFraming.Multiplexed)
        {
            var frame = target.GetSpan(8);
            frame[..4].Clear();
            frame[0] = 3;
            BinaryPrimitives.WriteInt32BigEndian(frame[4..], text.Length);
            target.Advance(8);
        }

        await target.WriteAsync(text, stop);
    }

    /// <summary>Writes every record, and sends what there is whenever the next one is not there yet.</summary>
    public async Task WriteAllAsync<T>(IAsyncEnumerable<T> records, Action<T, LogFrames> write, CancellationToken stop)
    {
        await using var reader = records.GetAsyncEnumerator(stop);
        while (true)
        {
            var next = reader.MoveNextAsync();
            if (target.UnflushedBytes > 0 && (!next.IsCompleted || target.UnflushedBytes > SendAt))
                await target.FlushAsync(stop);
            if (!await next)
                break;
            write(reader.Current, this);
        }
    }

    /// <summary>Labels and context as <c>key=value</c> pairs joined by commas, each part escaped as in a query.</summary>
    public static string Details(IEnumerable<KeyValuePair<string, string>> pairs) =>
        string.Join(',', pairs.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
}

/// <summary>How a log stream tells stdout from stderr.</summary>
public enum LogFraming
{
    /// <summary>Each line in a frame that names its stream.</summary>
    Multiplexed,

    /// <summary>Bare bytes, for containers with a terminal.</summary>
    Raw,
}
