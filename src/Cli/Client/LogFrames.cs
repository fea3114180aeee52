using System.Buffers.Binary;

namespace Orchestrator.Cli.Client;

/// <summary>Takes apart the Engine API's stream of stdout and stderr: a header of 8 bytes (kind, three zeros, length) before each piece.</summary>
internal static class LogFrames
{
    /// <summary>Longer than any daemon writes; a greater length means that the stream is not framed.</summary>
    private const int Longest = 16 << 20;

    /// <summary>The kind of the piece in which the daemon says what went wrong behind its answer's head.</summary>
    private const byte Error = 3;

    /// <summary>Writes every piece where it belongs, by blocking calls on the caller's thread.</summary>
    internal static void Copy(Stream from, Stream output, Stream error)
    {
        Span<byte> header = stackalloc byte[8];
        var body = new byte[4096];
        while (true)
        {
            var read = from.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
            if (read == 0)
                return;
            if (read < header.Length)
                throw new InvalidDataException("the log stream ends within a header");
            var length = Length(header);
            if (length > body.Length)
                body = new byte[length];
            from.ReadExactly(body.AsSpan(0, length));
            if (header[0] == Error)
                throw Broken(body.AsSpan(0, length));
            (header[0] == 2 ? error : output).Write(body.AsSpan(0, length));
        }
    }

    /// <summary>Hands every piece on as it comes: kind 2 is stderr, the others stdout.</summary>
    internal static async Task CopyAsync(Stream from, Func<int, ReadOnlyMemory<byte>, Task> take, CancellationToken stop)
    {
        var header = new byte[8];
        var body = new byte[4096];
        while (true)
        {
            var read = await from.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, stop);
            if (read == 0)
                return;
            if (read < header.Length)
                throw new InvalidDataException("the log stream ends within a header");
            var length = Length(header);
            if (length > body.Length)
                body = new byte[length];
            await from.ReadExactlyAsync(body.AsMemory(0, length), stop);
            if (header[0] == Error)
                throw Broken(body.AsSpan(0, length));
            await take(header[0], body.AsMemory(0, length));
        }
    }

    private static EngineException Broken(ReadOnlySpan<byte> words) =>
        new(500, $"error from daemon in stream: {System.Text.Encoding.UTF8.GetString(words).TrimEnd()}", []);

    private static int Length(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(header[4..]);
        return header[0] > 3 || length is < 0 or > Longest
            ? throw new InvalidDataException("the log stream is not framed as stdout and stderr")
            : length;
    }
}
