using System.Text.Json;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>One line of Docker's json-file format: <c>{"log":"…\n","stream":"stdout","time":"…"}</c>.</summary>
internal static class JsonLogLine
{
    /// <summary>Null when the line is not one: a write that a crash cut off.</summary>
    internal static LogRecord? Parse(ReadOnlySpan<byte> line)
    {
        byte[]? text = null;
        var stream = "stdout";
        DateTimeOffset? time = null;
        Dictionary<string, string>? attributes = null;
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var (isLog, isStream, isTime) = (json.ValueTextEquals("log"u8), json.ValueTextEquals("stream"u8), json.ValueTextEquals("time"u8));
                var isAttributes = json.ValueTextEquals("attrs"u8);
                json.Read();
                if (isLog)
                    text = Unescape(ref json);
                else if (isStream)
                    stream = json.ValueTextEquals("stderr"u8) ? "stderr" : "stdout";
                else if (isTime)
                    time = json.GetDateTimeOffset();
                else if (isAttributes && json.TokenType == JsonTokenType.StartObject)
                    attributes = Attributes(ref json);
                else
                    json.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }

        return text is null || time is null ? null : new LogRecord { Line = text, Stream = stream, Time = time.Value, Attributes = attributes };
    }

    private static Dictionary<string, string> Attributes(ref Utf8JsonReader json)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            json.Read();
            attributes[name] = json.GetString() ?? "";
        }

        return attributes;
    }

    private static byte[] Unescape(ref Utf8JsonReader json)
    {
        // Unescaped text is never longer than its escaped form.
        var buffer = new byte[json.ValueSpan.Length];
        var length = json.CopyString(buffer);
        return length == buffer.Length ? buffer : buffer[..length];
    }
}
