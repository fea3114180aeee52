using System.IO.Pipelines;
using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Orchestrator.Cli.Client;

/// <summary>JSON values one after another on a stream, as the Engine API sends progress and events.</summary>
internal static class JsonLines
{
    internal static async IAsyncEnumerable<JsonElement> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken stop)
    {
        var pipe = PipeReader.Create(stream);
        try
        {
            while (true)
            {
                var result = await pipe.ReadAsync(stop);
                var buffer = result.Buffer;
                while (TryTake(ref buffer, result.IsCompleted, out var value))
                    yield return value;
                pipe.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted)
                    yield break;
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, bool last, out JsonElement value)
    {
        value = default;
        var reader = new Utf8JsonReader(buffer, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { AllowMultipleValues = true }));
        if (!JsonDocument.TryParseValue(ref reader, out var json))
        {
            return last && !IsBlank(buffer) ? throw new InvalidDataException("the daemon's stream ends within a JSON value") : false;
        }
        using (json)
            value = json.RootElement.Clone();
        buffer = buffer.Slice(reader.Position);
        return true;
    }

    private static bool IsBlank(ReadOnlySequence<byte> buffer)
    {
        foreach (var segment in buffer)
        {
            if (segment.Span.ContainsAnyExcept(" \r\n\t"u8))
                return false;
        }
        return true;
    }
}
