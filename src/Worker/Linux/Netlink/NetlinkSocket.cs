using System.Buffers.Binary;
using System.Runtime.InteropServices;

using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>A netlink family, netlink(7).</summary>
internal enum NetlinkFamily
{
    Route = 0,
    SocketDiagnostics = 4,
    Netfilter = 12,
}

/// <summary>
/// A netlink socket of the network namespace its opening thread was in. Not thread-safe: one owner.
/// The families used here do their work inside <c>send</c>, and errors are always answered: no acknowledgements are asked for, an empty
/// queue after <c>send</c> is success, and nothing ever blocks.
/// </summary>
internal sealed partial class NetlinkSocket : IDisposable
{
    private const int AfNetlink = 16;
    private const int SockRaw = 3;
    private const int SockCloexec = 0x80000;
    private const int SolNetlink = 270;
    private const int NetlinkCapAck = 10;
    private const int NetlinkExtAck = 11;
    private const int NetlinkGetStrictCheck = 12;
    private const int SolSocket = 1;
    private const int SoSndBufForce = 32;
    private const int SoRcvBufForce = 33;
    private const int MsgDontWait = 0x40;
    private const int MsgTrunc = 0x20;
    private const int Eintr = 4;
    private const int Eagain = 11;
    private const ushort MessageError = 2;
    private const ushort MessageDone = 3;
    private const ushort FlagCapped = 0x100;
    private const ushort FlagAckAttributes = 0x200;
    private const ushort ErrorText = 1;

    private readonly SafeFileHandle fd;
    private readonly byte[] receive = new byte[64 * 1024];

    private NetlinkSocket(SafeFileHandle handle) => fd = handle;

    /// <summary>One reply message of a dump or query.</summary>
    internal delegate void Receive(NetlinkReader.Message message);

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    internal static NetlinkSocket Open(NetlinkFamily family)
    {
        var descriptor = socket(AfNetlink, SockRaw | SockCloexec, (int)family);
        if (descriptor == -1)
            throw LinuxException.Last($"open netlink socket {family}");
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        var one = 1;
        setsockopt(handle, SolNetlink, NetlinkExtAck, one, sizeof(int));
        setsockopt(handle, SolNetlink, NetlinkCapAck, one, sizeof(int));
        setsockopt(handle, SolNetlink, NetlinkGetStrictCheck, one, sizeof(int));
        // A rule set is one datagram: room for thousands of backends. Without CAP_NET_ADMIN in the first user namespace the default stays.
        setsockopt(handle, SolSocket, SoSndBufForce, 8 << 20, sizeof(int));
        setsockopt(handle, SolSocket, SoRcvBufForce, 4 << 20, sizeof(int));
        return new NetlinkSocket(handle);
    }

    /// <summary>Sends the requests and throws the first error, named by the request's operation.</summary>
    internal void Execute(NetlinkBatch batch)
    {
        var error = TryExecute(batch);
        if (error is not null)
            throw error;
    }

    /// <summary>Sends the requests and returns the first error. Requests after a failing one are still tried (rtnetlink) or all undone (nf_tables).</summary>
    internal LinuxException? TryExecute(NetlinkBatch batch)
    {
        if (batch.IsEmpty)
            return null;
        return Exchange(batch, static _ => { });
    }

    /// <summary>Sends a dump or get request and hands over each reply.</summary>
    internal void Query(NetlinkBatch batch, Receive receiver)
    {
        var error = Exchange(batch, receiver);
        if (error is not null)
            throw error;
    }

    public void Dispose() => fd.Dispose();

    private LinuxException? Exchange(NetlinkBatch batch, Receive receiver)
    {
        if (send(fd, MemoryMarshal.GetReference(batch.Bytes), (nuint)batch.Bytes.Length, 0) == -1)
            return LinuxException.Last($"{batch.Operation(1)}: netlink send");
        LinuxException? first = null;
        while (true)
        {
            var count = recv(fd, ref receive[0], (nuint)receive.Length, MsgDontWait | MsgTrunc);
            if (count == -1)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno == Eintr)
                    continue;
                return errno == Eagain ? first : first ?? new LinuxException($"{batch.Operation(1)}: netlink receive", errno);
            }

            if (count > receive.Length)
                return first ?? new LinuxException($"{batch.Operation(1)}: a netlink answer of {count} bytes does not fit", 0);
            var reader = new NetlinkReader(receive.AsSpan(0, (int)count));
            while (reader.NextMessage(out var message))
            {
                if (message.Type is MessageError or MessageDone)
                    first ??= ReadError(batch, message);
                else
                    receiver(message);
            }
        }
    }

    private static LinuxException? ReadError(NetlinkBatch batch, NetlinkReader.Message message)
    {
        var errno = message.Body.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(message.Body) : 0;
        if (errno == 0)
            return null;
        var operation = batch.Operation(message.Sequence);
        return ReadErrorText(message) is { Length: > 0 } text
            ? new LinuxException($"{operation} ({text})", errno)
            : new LinuxException(operation, errno);
    }

    private static string? ReadErrorText(NetlinkReader.Message message)
    {
        const int errorHeader = 4 + NetlinkBatch.HeaderLength;
        if ((message.Flags & FlagAckAttributes) == 0 || message.Type != MessageError || message.Body.Length < errorHeader)
            return null;
        var skip = (message.Flags & FlagCapped) != 0
            ? errorHeader
            : 4 + ((BinaryPrimitives.ReadInt32LittleEndian(message.Body[4..]) + 3) & ~3);
        var attributes = new NetlinkReader(message.Body[Math.Min(skip, message.Body.Length)..]);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == ErrorText)
                return NetlinkReader.Text(value);
        }

        return null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle fd, int level, int name, in int value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeFileHandle fd, in byte data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeFileHandle fd, ref byte data, nuint length, int flags);
}
