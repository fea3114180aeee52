using System.Globalization;
using System.Text;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Writes a tar: ustar headers, PAX ones in front where ustar has no room. The same entries give the same bytes.</summary>
internal sealed class TarComposer(Stream archive)
{
    private static readonly byte[] _zeros = new byte[TarHeader.BlockSize * 2];

    /// <summary>Writes one entry; <paramref name="content"/> must give exactly <see cref="TarEntry.Size"/> bytes.</summary>
    internal void Write(TarEntry entry, Stream? content = null)
    {
        var pax = Pax(entry);
        if (pax.Length > 0)
        {
            Header(new() { Name = "././@PaxHeader", Kind = TarKind.Regular, Mode = 0x1a4, Size = pax.Length }, type: (byte)'x');
            archive.Write(pax);
            Pad(pax.Length);
        }
        Header(entry, (byte)entry.Kind);
        if (entry.Size == 0)
            return;
        if (content is null)
            throw new ArgumentNullException(nameof(content), $"{entry.Name} has {entry.Size} bytes and no content");
        CopyExactly(content, entry.Size, entry.Name);
        Pad(entry.Size);
    }

    /// <summary>Writes the end marker; the stream stays open.</summary>
    internal void Finish() => archive.Write(_zeros);

    private void CopyExactly(Stream content, long size, string name)
    {
        var buffer = new byte[(int)Math.Min(size, 128 * 1024)];
        for (var left = size; left > 0;)
        {
            var read = content.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0)
                throw new IOException($"{name} became shorter while it was being archived");
            archive.Write(buffer, 0, read);
            left -= read;
        }
    }

    private void Header(TarEntry entry, byte type)
    {
        var block = new byte[TarHeader.BlockSize];
        var name = Encoding.UTF8.GetBytes(entry.Name);
        TarHeader.PutText(block.AsSpan(0, 100), name);
        TarHeader.PutNumber(block.AsSpan(100, 8), entry.Mode);
        TarHeader.PutNumber(block.AsSpan(108, 8), Fits(entry.Uid, 7) ? entry.Uid : 0);
        TarHeader.PutNumber(block.AsSpan(116, 8), Fits(entry.Gid, 7) ? entry.Gid : 0);
        TarHeader.PutNumber(block.AsSpan(124, 12), Fits(entry.Size, 11) ? entry.Size : 0);
        TarHeader.PutNumber(block.AsSpan(136, 12), Fits(entry.ModifiedSeconds, 11) ? entry.ModifiedSeconds : 0);
        block[156] = type;
        TarHeader.PutText(block.AsSpan(157, 100), Encoding.UTF8.GetBytes(entry.LinkName));
        "ustar\0"u8.CopyTo(block.AsSpan(257));
        "00"u8.CopyTo(block.AsSpan(263));
        if (entry.Kind is TarKind.Character or TarKind.Block)
        {
            TarHeader.PutNumber(block.AsSpan(329, 8), entry.DeviceMajor);
            TarHeader.PutNumber(block.AsSpan(337, 8), entry.DeviceMinor);
        }
        TarHeader.PutChecksum(block);
        archive.Write(block);
    }

    private static byte[] Pax(TarEntry entry)
    {
        using var body = new MemoryStream();
        if (Encoding.UTF8.GetByteCount(entry.Name) > 100)
            PaxRecords.Append(body, "path", Encoding.UTF8.GetBytes(entry.Name));
        if (Encoding.UTF8.GetByteCount(entry.LinkName) > 100)
            PaxRecords.Append(body, "linkpath", Encoding.UTF8.GetBytes(entry.LinkName));
        Number(body, "uid", entry.Uid, 7);
        Number(body, "gid", entry.Gid, 7);
        Number(body, "size", entry.Size, 11);
        if (entry.ModifiedNanoseconds != 0 || !Fits(entry.ModifiedSeconds, 11))
            PaxRecords.Append(body, "mtime", Encoding.ASCII.GetBytes(Time(entry)));
        foreach (var (key, value) in entry.Xattrs)
            PaxRecords.Append(body, PaxRecords.XattrPrefix + key, value.AsSpan());
        return body.ToArray();
    }

    private static string Time(TarEntry entry)
    {
        var (seconds, nanoseconds) = (entry.ModifiedSeconds, entry.ModifiedNanoseconds);
        if (nanoseconds == 0)
            return seconds.ToString(CultureInfo.InvariantCulture);
        // Before 1970 the fraction counts away from zero in the text and towards the future in the file system.
        var (sign, whole, fraction) = seconds < 0 ? ("-", -(seconds + 1), 1_000_000_000 - nanoseconds) : ("", seconds, nanoseconds);
        return $"{sign}{whole}.{fraction:D9}".TrimEnd('0');
    }

    private static void Number(Stream body, string key, long value, int digits)
    {
        if (!Fits(value, digits))
            PaxRecords.Append(body, key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }

    private static bool Fits(long value, int octalDigits) => value >= 0 && value >> (octalDigits * 3) == 0;

    private void Pad(long size)
    {
        var padding = (int)((TarHeader.BlockSize - size % TarHeader.BlockSize) % TarHeader.BlockSize);
        archive.Write(_zeros, 0, padding);
    }
}
