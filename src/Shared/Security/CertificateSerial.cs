using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Shared.Security;

/// <summary>
/// The serial numbers of this CA: 0x51, seven bytes of milliseconds since 1970 (big-endian), eight random bytes; positive, unique and not to be
/// guessed (RFC 5280, 4.1.2.2). They say when a certificate was made, which its beginning does not: that is put back, but never before its issuer's.
/// </summary>
internal static class CertificateSerial
{
    private const int Length = 16;
    private const byte Kind = 0x51;

    internal static byte[] Draw(DateTimeOffset now)
    {
        var serial = new byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(serial, now.ToUnixTimeMilliseconds());
        serial[0] = Kind; // the first byte of a number of milliseconds is 0 for longer than .NET's calendar
        RandomNumberGenerator.Fill(serial.AsSpan(sizeof(long)));
        return serial;
    }

    /// <summary>When the certificate was made, to the millisecond. One with another serial number: when it begins, which is no later.</summary>
    internal static DateTimeOffset MadeAt(X509Certificate2 certificate)
    {
        var serial = certificate.SerialNumberBytes.Span;
        var begins = new DateTimeOffset(certificate.NotBefore);
        if (serial.Length != Length || serial[0] != Kind)
            return begins;
        Span<byte> milliseconds = stackalloc byte[sizeof(long)];
        serial[..sizeof(long)].CopyTo(milliseconds);
        milliseconds[0] = 0;
        var made = BinaryPrimitives.ReadInt64BigEndian(milliseconds);
        return made <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(made) : begins;
    }
}
