using System.Globalization;
using System.Text;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>
/// What makes a file of a log the same one under every name: its inode number, and when it is compressed that of the file it was. A gzip
/// file may consist of several members (RFC 1952): the first is empty and holds the number as its comment.
/// </summary>
internal static class LogIdentity
{
    private const int HeaderLength = 10;
    private const byte HasComment = 0x10;
    private const byte Unix = 3;
    private const int LongestNumber = 20;
    private static readonly byte[] Nothing = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // an empty deflate block, CRC 0, length 0

    /// <summary>The member that a compressed log begins with.</summary>
    internal static byte[] Member(FileStream source) =>
        [0x1f, 0x8b, 8, HasComment, 0, 0, 0, 0, 0, Unix, .. Encoding.ASCII.GetBytes(Of(source).ToString(CultureInfo.InvariantCulture)), 0, .. Nothing];

    /// <summary>Of a plain file.</summary>
    internal static ulong Of(FileStream file) => FileOps.Status(file.SafeFileHandle).Inode;

    /// <summary>Of a compressed one; null when another program made it.</summary>
    internal static ulong? OfCompressed(FileStream file)
    {
        Span<byte> head = stackalloc byte[HeaderLength + LongestNumber + 1];
        var count = RandomAccess.Read(file.SafeFileHandle, head, 0);
        if (count <= HeaderLength || head[3] != HasComment)
            return null;
        var comment = head[HeaderLength..count];
        var end = comment.IndexOf((byte)0);
        return end > 0 && ulong.TryParse(comment[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
