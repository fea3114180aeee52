using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Integration.Rpc;

internal sealed record Note(string Text, int Count);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Note))]
internal sealed partial class NoteJson : JsonSerializerContext;

/// <summary>A service that repeats, counts, waits and refuses as it is told.</summary>
internal static class EchoService
{
    private static readonly JsonCodec<Note> Json = new(NoteJson.Default.Note);

    internal static readonly RpcMethod<Note, Note> Unary = new(RpcKind.Unary, "test.Echo", "Unary", Json, Json) { MaxMessageBytes = 8 << 20 };
    internal static readonly RpcMethod<Note, Note> Count = new(RpcKind.ServerStreaming, "test.Echo", "Count", Json, Json);
    internal static readonly RpcMethod<Note, Note> Sum = new(RpcKind.ClientStreaming, "test.Echo", "Sum", Json, Json);
    internal static readonly RpcMethod<Note, Note> Talk = new(RpcKind.Duplex, "test.Echo", "Talk", Json, Json);

    internal static RpcServer Server(Action? cancelled = null) => new RpcServer(TimeProvider.System, NullLogger.Instance)
        .MapUnary(Unary, RpcAccess.Anyone, async (note, call) =>
        {
            call.Trailers = RpcMetadata.Empty.With("seen-user", call.Metadata["user"] ?? "nobody");
            switch (note.Text)
            {
                case "refuse":
                    throw new RpcException(RpcStatus.NotFound, "kein Dienst «web» — 100%") { Trailers = RpcMetadata.Empty.With("detail-bin", [0, 1, 255]) };
                case "break":
                    throw new InvalidOperationException("a handler's bug");
                case "wait":
                    try
                    {
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.Stop);
                    }
                    finally
                    {
                        cancelled?.Invoke();
                    }

                    break;
                default:
                    break;
            }

            return note with { Count = note.Count + 1 };
        })
        .MapServerStreaming(Count, RpcAccess.Anyone, CountAsync)
        .MapClientStreaming(Sum, RpcAccess.Anyone, async (notes, _) =>
        {
            var sum = 0;
            await foreach (var note in notes)
                sum += note.Count;
            return new("sum", sum);
        })
        .MapDuplex(Talk, RpcAccess.Anyone, TalkAsync);

    private static async IAsyncEnumerable<Note> CountAsync(Note note, RpcServerCall call)
    {
        for (var i = 1; i <= note.Count; i++)
        {
            await Task.Yield();
            yield return new(note.Text, i);
        }

        if (note.Text == "refuse")
            throw new RpcException(RpcStatus.Aborted, "after all of them");
    }

    private static async IAsyncEnumerable<Note> TalkAsync(IAsyncEnumerable<Note> notes, RpcServerCall call)
    {
        await foreach (var note in notes)
        {
            yield return note with { Count = note.Count * 2 };
            if (note.Text == "last")
                yield break;
        }
    }
}
