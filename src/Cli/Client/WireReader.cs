using System.Globalization;
using System.Text;

namespace Orchestrator.Cli.Client;

/// <summary>Takes one HTTP/1.1 answer off a connection, by blocking reads (RFC 9112).</summary>
internal sealed class WireReader(Stream stream)
{
    private const int LongestHead = 64 << 10;

    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>What has been read and not been taken: after a head, the beginning of what follows it.</summary>
    internal ReadOnlySpan<byte> Rest => _buffer.AsSpan(_start, _end - _start);

    /// <exception cref="IOException">The connection ended within the answer, or it is not HTTP.</exception>
    internal WireAnswer Read(bool hasBody)
    {
        var head = ReadHead();
        while (head.Status is >= 100 and < 200 and not 101)
            head = ReadHead();
        if (!hasBody || head.Status is 101 or 204 or 304)
            return new WireAnswer(head.Status, head.Reason, [], head.KeepAlive);
        if (head.Chunked)
            return new WireAnswer(head.Status, head.Reason, ReadChunks(), head.KeepAlive);
        if (head.Length is { } length)
            return new WireAnswer(head.Status, head.Reason, ReadExactly(length), head.KeepAlive);
        return new WireAnswer(head.Status, head.Reason, ReadToEnd(), KeepAlive: false);
    }

    internal WireHead ReadHead()
    {
        int length;
        while ((length = Rest.IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (Rest.Length > LongestHead)
                throw new IOException("the head of the daemon's answer does not end");
            Fill();
        }
        var lines = Encoding.ASCII.GetString(Rest[..length]).Split("\r\n");
        _start += length + 4;
        return WireHead.Of(lines);
    }

    private byte[] ReadExactly(int length)
    {
        var body = new byte[length];
        var have = Math.Min(length, Rest.Length);
        Rest[..have].CopyTo(body);
        _start += have;
        stream.ReadExactly(body.AsSpan(have));
        return body;
    }

    private byte[] ReadToEnd()
    {
        using var body = new MemoryStream();
        body.Write(Rest);
        _start = _end;
        stream.CopyTo(body);
        return body.ToArray();
    }

    private byte[] ReadChunks()
    {
        using var body = new MemoryStream();
        while (true)
        {
            var size = Line().Split(';')[0].Trim();
            if (!int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length) || length < 0)
                throw new IOException($"the daemon's answer has a chunk of length '{size}'");
            if (length == 0)
                break;
            body.Write(ReadExactly(length));
            if (Line().Length > 0)
                throw new IOException("the daemon's answer has a chunk longer than it says");
        }
        while (Line().Length > 0)
        {
            // trailers
        }
        return body.ToArray();
    }

    private string Line()
    {
        int length;
        while ((length = Rest.IndexOf("\r\n"u8)) < 0)
        {
            if (Rest.Length > LongestHead)
                throw new IOException("a line of the daemon's answer does not end");
            Fill();
        }
        var line = Encoding.ASCII.GetString(Rest[..length]);
        _start += length + 2;
        return line;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            Rest.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        var count = stream.Read(_buffer.AsSpan(_end));
        if (count == 0)
            throw new IOException("the daemon closed the connection before its answer ended");
        _end += count;
    }
}

/// <summary>What an answer's head says about its body.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Reason">HTTP's words for it.</param>
/// <param name="Length">Of the body in bytes, when it is said.</param>
/// <param name="Chunked">The body comes in chunks.</param>
/// <param name="KeepAlive">The connection goes on after it.</param>
internal readonly record struct WireHead(int Status, string Reason, int? Length, bool Chunked, bool KeepAlive)
{
    /// <exception cref="IOException">It is not HTTP.</exception>
    internal static WireHead Of(string[] lines)
    {
        var first = lines[0].Split(' ', 3);
        if (first.Length < 2 || !first[0].StartsWith("HTTP/1.", StringComparison.Ordinal) || !int.TryParse(first[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            throw new IOException($"the daemon answered '{lines[0]}', which is not HTTP");
        int? length = null;
        var (chunked, keepAlive) = (false, first[0] == "HTTP/1.1");
        for (var i = 1; i < lines.Length; i++)
        {
            var colon = lines[i].IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                continue;
            var name = lines[i].AsSpan(0, colon);
            var value = lines[i].AsSpan(colon + 1).Trim();
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                length = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new IOException($"the daemon's answer has a length of '{value}'");
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                chunked = value.Contains("chunked", StringComparison.OrdinalIgnoreCase);
            else if (name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
                keepAlive = !value.Contains("close", StringComparison.OrdinalIgnoreCase);
        }
        return new WireHead(status, first.Length > 2 ? first[2] : "", length, chunked, keepAlive);
    }
}
