using System.Buffers.Text;
using System.Text;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>
/// The body of a PAX extended header: <c>LENGTH KEY=VALUE\n</c>, LENGTH counting itself (POSIX.1-2001 pax). Values stay bytes, because
/// <c>SCHILY.xattr.</c> holds binary ones with zeros and newlines, which text-minded readers damage.
/// </summary>
internal static class PaxRecords
{
    internal const string XattrPrefix = "SCHILY.xattr.";

    internal static void Read(ReadOnlySpan<byte> body, Dictionary<string, byte[]> into)
    {
        while (body.Length > 0 && body[0] != 0)
        {
            if (!Utf8Parser.TryParse(body, out int length, out var digits) || length > body.Length || length < digits + 3
                || body[digits] != ' ' || body[length - 1] != '\n')
                throw ImageException.Bad("the archive is damaged: an extended header does not parse");
            var record = body[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw ImageException.Bad("the archive is damaged: an extended header has no key");
            into[TarHeader.Utf8(record[..equals])] = record[(equals + 1)..].ToArray();
            body = body[length..];
        }
    }

    internal static void Append(Stream to, string key, ReadOnlySpan<byte> value)
    {
        var name = Encoding.UTF8.GetBytes(key);
        var rest = 1 + name.Length + 1 + value.Length + 1;
        var length = rest + Digits(rest);
        if (Digits(length) != length - rest)
            length++;
        to.Write(Encoding.ASCII.GetBytes($"{length} "));
        to.Write(name);
        to.WriteByte((byte)'=');
        to.Write(value);
        to.WriteByte((byte)'\n');
    }

    private static int Digits(int value) => value.ToString().Length;
}
