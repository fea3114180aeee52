using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>Whose log is asked for, of the node that has it.</summary>
public sealed record TaskLogsRequest
{
    /// <summary>Of the task, what names its container.</summary>
    public required ServiceTask Task { get; init; }

    public LogQuery Query { get => field ?? new(); init; } = new();
}

/// <summary>What a node's tasks wrote, on the wire to managers: both ends. Records travel several at a time, as many as there are at once.</summary>
public static class TaskLogsRpc
{
    /// <summary>Bytes of records after which a message goes.</summary>
    private const int SendAt = 64 << 10;

    private static readonly RpcMethod<TaskLogsRequest, IReadOnlyList<LogRecord>> Read = new(
        RpcKind.ServerStreaming, "orch.TaskLogs", "Read", new JsonCodec<TaskLogsRequest>(ModelJson.Of<TaskLogsRequest>()), LogRecordsCodec.Instance) { MaxMessageBytes = 64 << 20 };

    /// <summary>Answers managers.</summary>
    /// <param name="server">Takes the method.</param>
    /// <param name="logs">Of this node's own tasks.</param>
    /// <param name="refuse">What this node has against the caller, in a sentence; null lets it pass.</param>
    public static void Map(RpcServer server, ITaskLogs logs, Func<RpcServerCall, string?> refuse) =>
        server.MapServerStreaming(Read, RpcAccess.Manager, (request, call) => BatchesAsync(logs.ReadAsync(request.Task, request.Query, call.Stop), () => Check(refuse(call)), call.Stop));

    /// <summary>The caller's end.</summary>
    public static ITaskLogs Client(RpcChannel channel) => new Caller(channel);

    private static void Check(string? refusal)
    {
        if (refusal is not null)
            throw new RpcException(RpcStatus.PermissionDenied, refusal);
    }

    /// <param name="records">One after the other.</param>
    /// <param name="check">Throws when the caller may not hear them: before the first, and before each message.</param>
    /// <param name="stop">Ends the reading.</param>
    private static async IAsyncEnumerable<IReadOnlyList<LogRecord>> BatchesAsync(
        IAsyncEnumerable<LogRecord> records, Action check, [EnumeratorCancellation] CancellationToken stop)
    {
        check();
        await using var reader = records.GetAsyncEnumerator(stop);
        var (batch, size) = (new List<LogRecord>(), 0);
        while (true)
        {
            var next = NextAsync(reader);
            if (batch.Count > 0 && (size >= SendAt || !next.IsCompleted))
            {
                check();
                yield return batch;
                (batch, size) = ([], 0);
            }

            if (!await next)
                break;
            batch.Add(reader.Current);
            size += reader.Current.Line.Length;
        }

        if (batch.Count > 0)
            yield return batch;
    }

    /// <summary>A log that can't be read is no fault of the node: the sentence goes to who asked.</summary>
    private static async Task<bool> NextAsync(IAsyncEnumerator<LogRecord> reader)
    {
        try
        {
            return await reader.MoveNextAsync();
        }
        catch (Exception cannot) when (cannot is not (RpcException or OperationCanceledException))
        {
            throw new RpcException(RpcStatus.FailedPrecondition, cannot.Message, cannot);
        }
    }

    private sealed class Caller(RpcChannel channel) : ITaskLogs
    {
        public async IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
        {
            var named = new ServiceTask { Id = task.Id, Spec = new(), ServiceName = task.ServiceName, Slot = task.Slot, NodeId = task.NodeId };
            await foreach (var batch in channel.ServerStreamAsync(Read, new TaskLogsRequest { Task = named, Query = query }, stop: stop))
            {
                foreach (var record in batch)
                    yield return record;
            }
        }
    }
}
