using System.Buffers;
using System.IO.Pipelines;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>What it means when a client says no more.</summary>
internal enum ClientEnd
{
    /// <summary>It is gone: the call ends on the node too.</summary>
    Leaves,

    /// <summary>A program's input ends, and its output goes on.</summary>
    EndsInput,
}

/// <summary>
/// A client's connection and one to a node as one: bytes go both ways as they come, no more of them are held than one read gives, and who reads
/// slowly is waited for.
/// </summary>
internal sealed class Splice(HijackedConnection client, HalfCloseTlsStream node, ClientEnd end)
{
    private const int PieceSize = 32 << 10;

    /// <summary>Why the node's side ended early; null: it did not.</summary>
    internal string? Broke { get; private set; }

    /// <summary>Returns when the node is done, or either side is gone. Answers whether the node said anything.</summary>
    internal async Task<bool> RunAsync(CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop, client.Stopping);
        var taking = TakeAsync(over);
        var any = await GiveAsync(over);
        over.Cancel();
        client.Input.CancelPendingRead();
        await taking;
        return any;
    }

    /// <summary>From the node to the client, to the node's end.</summary>
    private async Task<bool> GiveAsync(CancellationTokenSource over)
    {
        var piece = ArrayPool<byte>.Shared.Rent(PieceSize);
        var any = false;
        try
        {
            while (await node.ReadAsync(piece.AsMemory(0, PieceSize), over.Token) is var count and > 0)
            {
                any = true;
                if ((await client.Output.WriteAsync(piece.AsMemory(0, count), over.Token)).IsCompleted)
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, or this node stops.
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            Broke = gone.GetBaseException().Message; // what was under way is cut with it, as the client will see
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return any;
    }

    /// <summary>From the client to the node, to the client's end.</summary>
    private async Task TakeAsync(CancellationTokenSource over)
    {
        try
        {
            while (await ReadAsync(over) is { IsCanceled: false } read)
            {
                foreach (var piece in read.Buffer)
                    await node.WriteAsync(piece, over.Token);
                client.Input.AdvanceTo(read.Buffer.End);
                if (!read.IsCompleted)
                    continue;
                if (end == ClientEnd.Leaves)
                    over.Cancel();
                else
                    await node.EndWritesAsync(); // TLS' own half-close: the node reads the end, and its answer still comes
                return;
            }
        }
        catch (Exception done) when (done is OperationCanceledException or IOException or InvalidOperationException or ObjectDisposedException)
        {
            // The node is done, or takes no more: what it has to say to that still comes the other way.
        }
    }

    /// <summary>Null: the client's connection was cut.</summary>
    private async Task<ReadResult?> ReadAsync(CancellationTokenSource over)
    {
        try
        {
            return await client.Input.ReadAsync(over.Token);
        }
        catch (IOException)
        {
            over.Cancel();
            return null;
        }
    }
}
