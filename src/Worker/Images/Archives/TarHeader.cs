using System.Buffers.Binary;
using System.Text;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Fields of the 512-byte header of tar(5): ustar, its GNU variant, and v7.</summary>
internal static class TarHeader
{
    internal const int BlockSize = 512;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static string Name(ReadOnlySpan<byte> block)
    {
        var name = Text(block[..100]);
        // Only POSIX ustar has the prefix; the GNU variant keeps times there.
        var prefix = block.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(block.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    internal static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Utf8(end < 0 ? field : field[..end]);
    }

    internal static string Utf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return _strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw ImageException.Bad($"the archive has a file name that is not UTF-8 ({Encoding.Latin1.GetString(bytes)}), which is not supported", e);
        }
    }

    /// <summary>A number: octal digits, or base-256 when the first bit is set.</summary>
    internal static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            var value = (field[0] & 0x40) != 0 ? -1L : 0L;
            if ((field[0] & 0x40) == 0 && field[..^8].IndexOfAnyExcept((byte)0, (byte)0x80) >= 0)
                throw ImageException.Bad("the archive has a number that is too large");
            foreach (var b in field[^8..])
                value = (value << 8) | b;
            return value;
        }
        var number = 0L;
        foreach (var b in field.Trim(" \0"u8))
        {
            if (b == 0)
                break;
            if (b is < (byte)'0' or > (byte)'7')
                throw ImageException.Bad("the archive is damaged: a header's number is not octal");
            number = checked((number << 3) | (long)(b - '0'));
        }
        return number;
    }

    /// <summary>Whether the stored checksum fits, counting bytes as unsigned or, as some old tars did, signed.</summary>
    internal static bool ChecksumFits(ReadOnlySpan<byte> block)
    {
        long unsigned = 0, signed = 0;
        for (var i = 0; i < BlockSize; i++)
        {
            var b = i is >= 148 and < 156 ? (byte)' ' : block[i];
            unsigned += b;
            signed += (sbyte)b;
        }
        var stored = Number(block.Slice(148, 8));
        return stored == unsigned || stored == signed;
    }

    internal static void PutText(Span<byte> field, ReadOnlySpan<byte> value) => value[..Math.Min(value.Length, field.Length)].CopyTo(field);

    /// <summary>Octal when it fits, else base-256.</summary>
    internal static void PutNumber(Span<byte> field, long value)
    {
        var digits = field.Length - 1;
        if (value >= 0 && (digits * 3 >= 63 || value >> (digits * 3) == 0))
        {
            for (var i = digits - 1; i >= 0; i--, value >>= 3)
                field[i] = (byte)('0' + (value & 7));
            field[digits] = 0;
            return;
        }
        field.Fill(value < 0 ? (byte)0xff : (byte)0);
        BinaryPrimitives.WriteInt64BigEndian(field[^8..], value);
        field[0] |= 0x80;
    }

    internal static void PutChecksum(Span<byte> block)
    {
        var field = block.Slice(148, 8);
        field.Fill((byte)' ');
        long sum = 0;
        foreach (var b in block)
            sum += b;
        PutNumber(field[..7], sum);
        field[7] = (byte)' ';
    }
}
