using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>
/// Times of UTC end in <c>Z</c>, as Go writes them: scripts compare them with <c>0001-01-01T00:00:00Z</c>, the time of what has not happened. Others
/// keep their offset. Any RFC 3339 time is read.
/// </summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        if (value.Offset == TimeSpan.Zero)
            writer.WriteStringValue(value.UtcDateTime);
        else
            writer.WriteStringValue(value);
    }
}
