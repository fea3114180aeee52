using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>The one question of a query, RFC 1035 section 4.1, and what EDNS(0) says of the asker, RFC 6891.</summary>
internal readonly record struct DnsQuery
{
    internal required ushort Id { get; init; }

    internal required ushort Flags { get; init; }

    /// <summary>Labels joined by dots, as asked, without the final dot.</summary>
    internal required string Name { get; init; }

    internal required ushort Type { get; init; }

    internal required ushort Class { get; init; }

    /// <summary>Where the question section ends.</summary>
    internal required int QuestionEnd { get; init; }

    /// <summary>The datagram size the asker takes; null without EDNS.</summary>
    internal int? EdnsSize { get; init; }
}

/// <summary>How a query went, RFC 1035 section 4.1.1.</summary>
internal enum DnsResult
{
    Ok = 0,
    FormatError = 1,
    ServerFailure = 2,
    NotImplemented = 4,
}

/// <summary>Reads queries and writes answers, RFC 1035.</summary>
internal static class DnsCodec
{
    internal const int HeaderLength = 12;
    internal const ushort TypeA = 1;
    internal const ushort TypePtr = 12;
    internal const ushort TypeAny = 255;
    internal const ushort ClassInternet = 1;
    internal const int PlainDatagram = 512;

    private const ushort TypeOpt = 41;
    private const int OptLength = 11;
    private const ushort EdnsDatagram = 1232;
    private const ushort FlagResponse = 0x8000;
    private const ushort FlagTruncated = 0x0200;
    private const ushort FlagRecursionDesired = 0x0100;
    private const ushort FlagRecursionAvailable = 0x0080;
    private const ushort OpcodeMask = 0x7800;
    private const ushort PointerToQuestion = 0xC000 | HeaderLength;
    private const int MaximumName = 255;

    /// <summary>False when it is no single-question standard query; then <paramref name="problem"/> is the answer to give, null meaning none at all.</summary>
    internal static bool TryReadQuery(ReadOnlySpan<byte> message, out DnsQuery query, out DnsResult? problem)
    {
        query = default;
        problem = null;
        if (message.Length < HeaderLength)
            return false;
        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & FlagResponse) != 0)
            return false;
        if ((flags & OpcodeMask) != 0)
        {
            problem = DnsResult.NotImplemented;
            return false;
        }

        problem = DnsResult.FormatError;
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || !TryReadName(message, HeaderLength, out var name, out var end) || end + 4 > message.Length)
            return false;
        query = new DnsQuery
        {
            Id = BinaryPrimitives.ReadUInt16BigEndian(message),
            Flags = flags,
            Name = name,
            Type = BinaryPrimitives.ReadUInt16BigEndian(message[end..]),
            Class = BinaryPrimitives.ReadUInt16BigEndian(message[(end + 2)..]),
            QuestionEnd = end + 4,
            EdnsSize = ReadEdnsSize(message, end + 4),
        };
        problem = null;
        return true;
    }

    /// <summary>Reads an uncompressed name: a query's first name has nothing before it to point to.</summary>
    internal static bool TryReadName(ReadOnlySpan<byte> message, int start, out string name, out int end)
    {
        name = "";
        end = start;
        var text = new StringBuilder();
        while (end < message.Length)
        {
            int length = message[end];
            end++;
            if (length == 0)
            {
                name = text.ToString();
                return true;
            }

            if (length > 63 || end + length > message.Length || end + length - start > MaximumName)
                return false;
            if (text.Length > 0)
                text.Append('.');
            text.Append(Encoding.Latin1.GetString(message.Slice(end, length)));
            end += length;
        }

        return false;
    }

    /// <summary>Answers with addresses; when they do not all fit into <paramref name="limit"/> the answer says that it is cut.</summary>
    internal static int WriteAddresses(ReadOnlySpan<byte> request, in DnsQuery query, ReadOnlySpan<IPAddress> addresses, int limit, Span<byte> answer)
    {
        const int recordLength = 16;
        var room = limit - query.QuestionEnd - (query.EdnsSize is null ? 0 : OptLength);
        var count = Math.Min(addresses.Length, Math.Max(0, room / recordLength));
        var end = Start(request, query, DnsResult.Ok, count, cut: count < addresses.Length, answer);
        for (var i = 0; i < count; i++)
        {
            end = WriteRecordHeader(answer, end, TypeA, 4);
            addresses[i].TryWriteBytes(answer[end..], out var written);
            end += written;
        }

        return Finish(query, answer, end);
    }

    internal static int WritePointer(ReadOnlySpan<byte> request, in DnsQuery query, string name, Span<byte> answer)
    {
        var end = Start(request, query, DnsResult.Ok, 1, cut: false, answer);
        var start = end;
        end = WriteRecordHeader(answer, end, TypePtr, 0);
        var data = end;
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var length = Encoding.Latin1.GetBytes(label.Length > 63 ? label[..63] : label, answer[(end + 1)..]);
            answer[end] = (byte)length;
            end += 1 + length;
        }

        answer[end++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(answer[(start + 10)..], (ushort)(end - data));
        return Finish(query, answer, end);
    }

    /// <summary>An answer without records: a known name without that type, or a failure.</summary>
    internal static int WriteEmpty(ReadOnlySpan<byte> request, in DnsQuery query, DnsResult result, Span<byte> answer)
        => Finish(query, answer, Start(request, query, result, 0, cut: false, answer));

    /// <summary>The header alone, for a query that could not be read.</summary>
    internal static int WriteProblem(ReadOnlySpan<byte> request, DnsResult result, Span<byte> answer)
    {
        answer[..HeaderLength].Clear();
        request[..2].CopyTo(answer);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(request[2..]) & (OpcodeMask | FlagRecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(answer[2..], (ushort)(flags | FlagResponse | (int)result));
        return HeaderLength;
    }

    /// <summary>Whether an upstream's datagram answers this very query: same id, a response, same question bytes.</summary>
    internal static bool Answers(ReadOnlySpan<byte> response, ReadOnlySpan<byte> request, in DnsQuery query)
        => response.Length >= query.QuestionEnd && response[..2].SequenceEqual(request[..2]) && (response[2] & 0x80) != 0
            && Ascii.EqualsIgnoreCase(response[HeaderLength..query.QuestionEnd], request[HeaderLength..query.QuestionEnd]);

    /// <summary>Server failure, not implemented, refused: another resolver may know.</summary>
    internal static bool IsFailure(ReadOnlySpan<byte> response) => (response[3] & 0x0f) is 2 or 4 or 5;

    private static int Start(ReadOnlySpan<byte> request, in DnsQuery query, DnsResult result, int answers, bool cut, Span<byte> answer)
    {
        request[..query.QuestionEnd].CopyTo(answer);
        var flags = FlagResponse | FlagRecursionAvailable | (query.Flags & FlagRecursionDesired) | (cut ? FlagTruncated : 0) | (int)result;
        BinaryPrimitives.WriteUInt16BigEndian(answer[2..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(answer[4..], 1);
        BinaryPrimitives.WriteUInt16BigEndian(answer[6..], (ushort)answers);
        BinaryPrimitives.WriteUInt16BigEndian(answer[8..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(answer[10..], 0);
        return query.QuestionEnd;
    }

    private static int Finish(in DnsQuery query, Span<byte> answer, int end)
    {
        if (query.EdnsSize is null)
            return end;
        answer.Slice(end, OptLength).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(answer[(end + 1)..], TypeOpt);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(end + 3)..], EdnsDatagram);
        BinaryPrimitives.WriteUInt16BigEndian(answer[10..], 1);
        return end + OptLength;
    }

    // Time to live 0: a task's address may be another's a moment later, so nobody may keep the answer.
    private static int WriteRecordHeader(Span<byte> answer, int at, ushort type, ushort length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(answer[at..], PointerToQuestion);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 2)..], type);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 4)..], ClassInternet);
        BinaryPrimitives.WriteUInt32BigEndian(answer[(at + 6)..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 10)..], length);
        return at + 12;
    }

    // The OPT record is the only additional record that queries carry in practice; what stands before it is skipped by its lengths.
    private static int? ReadEdnsSize(ReadOnlySpan<byte> message, int at)
    {
        var others = BinaryPrimitives.ReadUInt16BigEndian(message[6..]) + BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        var additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        if (others != 0)
            return null;
        for (var i = 0; i < additional; i++)
        {
            if (!TryReadName(message, at, out var name, out var end) || end + 10 > message.Length)
                return null;
            if (name.Length == 0 && BinaryPrimitives.ReadUInt16BigEndian(message[end..]) == TypeOpt)
                return Math.Max(PlainDatagram, (int)BinaryPrimitives.ReadUInt16BigEndian(message[(end + 2)..]));
            at = end + 10 + BinaryPrimitives.ReadUInt16BigEndian(message[(end + 8)..]);
            if (at > message.Length)
                return null;
        }

        return null;
    }
}
