using System.Buffers.Binary;
using System.Text.Json;

namespace Orchestrator.Manager.State;

/// <summary>Who waits for an entry: a random number of the proposing process and its count of proposals.</summary>
internal readonly record struct ProposalTag(ulong Process, ulong Number);

/// <summary>A log entry's bytes: format 1, the proposer's tag (two big-endian numbers), the command's JSON.</summary>
internal static class EntryCodec
{
    private const byte Format = 1;
    private const int HeaderLength = 17;

    internal static byte[] Write(ProposalTag tag, Command command)
    {
        using var stream = new MemoryStream();
        Span<byte> header = stackalloc byte[HeaderLength];
        Head(tag, header);
        stream.Write(header);
        JsonSerializer.Serialize(stream, command, StateJson.Command);
        return stream.ToArray();
    }

    /// <summary>As <see cref="Write(ProposalTag, Command)"/>, of a command that came as JSON and was read.</summary>
    internal static byte[] Write(ProposalTag tag, ReadOnlySpan<byte> json)
    {
        var entry = new byte[HeaderLength + json.Length];
        Head(tag, entry);
        json.CopyTo(entry.AsSpan(HeaderLength));
        return entry;
    }

    /// <exception cref="JsonException">The entry was not written by this codec: the log is damaged or comes from a newer version.</exception>
    internal static (ProposalTag Tag, Command Command) Read(ReadOnlySpan<byte> entry) => (ReadTag(entry), ReadCommand(entry));

    /// <exception cref="JsonException">As <see cref="Read"/>.</exception>
    internal static ProposalTag ReadTag(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < HeaderLength || entry[0] != Format)
            throw new JsonException($"a log entry of {entry.Length} bytes is not of format {Format}");
        return new(BinaryPrimitives.ReadUInt64BigEndian(entry[1..]), BinaryPrimitives.ReadUInt64BigEndian(entry[9..]));
    }

    /// <exception cref="JsonException">As <see cref="Read"/>.</exception>
    internal static Command ReadCommand(ReadOnlySpan<byte> entry) =>
        JsonSerializer.Deserialize(entry[HeaderLength..], StateJson.Command) ?? throw new JsonException("a log entry holds no command");

    private static void Head(ProposalTag tag, Span<byte> header)
    {
        header[0] = Format;
        BinaryPrimitives.WriteUInt64BigEndian(header[1..], tag.Process);
        BinaryPrimitives.WriteUInt64BigEndian(header[9..], tag.Number);
    }
}
