using System.Buffers.Binary;

namespace Orchestrator.Cli.Client;

/// <summary>Takes apart the Engine API's stream of stdout and stderr: a header of 8 bytes (kind, three zeros, length) before each piece.</summary>
internal static class LogFrames
{
    /// <summary>Longer than any daemon writes; a greater length means that the stream is not framed.</summary>
    private const int Longest = 16 << 20;

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
            var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4));
            if (header[0] > 3 || length is < 0 or > Longest)
                throw new InvalidDataException("the log stream is not framed as stdout and stderr");
            if (length > body.Length)
                body = new byte[length];
            await from.ReadExactlyAsync(body.AsMemory(0, length), stop);
            await take(header[0], body.AsMemory(0, length));
        }
    }
}
