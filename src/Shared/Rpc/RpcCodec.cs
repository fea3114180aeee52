using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Shared.Rpc;

/// <summary>How a message becomes bytes and comes back.</summary>
public abstract class RpcCodec<T>
{
    /// <summary>What follows <c>application/grpc</c> in the content type: <c>+json</c>, or nothing.</summary>
    public abstract string ContentSuffix { get; }

    public abstract void Write(T value, IBufferWriter<byte> target);

    /// <summary>Reads a message; throws <see cref="FormatException"/> or <see cref="JsonException"/> for bytes that are none. The bytes live only during the call.</summary>
    public abstract T Read(ReadOnlySequence<byte> bytes);
}

/// <summary>JSON by a source-generated type.</summary>
public sealed class JsonCodec<T>(JsonTypeInfo<T> type) : RpcCodec<T>
{
    public override string ContentSuffix => "+json";

    public override void Write(T value, IBufferWriter<byte> target)
    {
        using var writer = new Utf8JsonWriter(target);
        JsonSerializer.Serialize(writer, value, type);
    }

    public override T Read(ReadOnlySequence<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes);
        var value = JsonSerializer.Deserialize(ref reader, type) ?? throw new JsonException("the message is null");
        if (reader.Read())
            throw new JsonException("something follows the message");
        return value;
    }
}

/// <summary>Bytes as they are.</summary>
public sealed class BytesCodec : RpcCodec<ReadOnlyMemory<byte>>
{
    public static readonly BytesCodec Instance = new();

    public override string ContentSuffix => "";

    public override void Write(ReadOnlyMemory<byte> value, IBufferWriter<byte> target) => target.Write(value.Span);

    public override ReadOnlyMemory<byte> Read(ReadOnlySequence<byte> bytes) => bytes.ToArray();
}
