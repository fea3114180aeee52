using System.Net.Sockets;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Cli.Client;

/// <summary>A connection to the daemon that speaks HTTP no more: after attach and exec it carries a program's stdio.</summary>
internal sealed class TakenConnection : IAsyncDisposable
{
    private readonly Dialled _connection;

    private TakenConnection(Dialled connection, Stream stream)
    {
        _connection = connection;
        Stream = stream;
    }

    internal Stream Stream { get; }

    /// <summary>Says that no more input comes, and goes on listening.</summary>
    internal void CloseInput()
    {
        try
        {
            _connection.CloseInput();
        }
        catch (Exception gone) when (gone is SocketException or IOException)
        {
            // The daemon was faster: the program has ended.
        }
    }

    /// <summary>Whether a failed read is the end of what the daemon sends: the program ended before its input did.</summary>
    internal bool IsEnd(IOException failure) => _connection.IsEnd(failure);

    /// <summary>Whoever reads or writes fails now.</summary>
    internal void Abort() => _connection.Abort();

    public ValueTask DisposeAsync() => Stream.DisposeAsync();

    /// <summary>Sends the request over a fresh connection and waits for the answer's head.</summary>
    /// <returns>The connection; or, when the daemon does not give it away, what it says.</returns>
    internal static (TakenConnection? Connection, WireAnswer Refusal) Open(Dialled connection, string path, byte[] body, CancellationToken stop)
    {
        try
        {
            using var abort = stop.UnsafeRegister(static c => ((Dialled)c!).Abort(), connection);
            connection.Stream.Write(EngineWire.Request(HttpMethod.Post, path, body, "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
            var reader = new WireReader(connection.Stream);
            var answer = reader.Read(hasBody: true);
            if (answer.Status == 101)
                return (new TakenConnection(connection, reader.Rest.IsEmpty ? connection.Stream : new PrefixedStream(reader.Rest.ToArray(), connection.Stream)), answer);
            connection.Dispose();
            return (null, answer);
        }
        catch (Exception e) when (e is IOException && stop.IsCancellationRequested)
        {
            connection.Dispose();
            throw new OperationCanceledException(e.Message, e, stop);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
