using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>A duration as the Engine API writes it: an integer count of nanoseconds (kept at .NET's 100 ns).</summary>
public sealed class NanosecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeSpan.FromTicks(reader.GetInt64() / TimeSpan.NanosecondsPerTick);

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Ticks * TimeSpan.NanosecondsPerTick);
}
