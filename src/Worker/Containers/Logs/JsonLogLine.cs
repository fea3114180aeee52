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
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var (isLog, isStream, isTime) = (json.ValueTextEquals("log"u8), json.ValueTextEquals("stream"u8), json.ValueTextEquals("time"u8));
                json.Read();
                if (isLog)
                    text = Unescape(ref json);
                else if (isStream)
                    stream = json.ValueTextEquals("stderr"u8) ? "stderr" : "stdout";
                else if (isTime)
                    time = json.GetDateTimeOffset();
                else
                    json.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }

        return text is null || time is null ? null : new LogRecord { Line = text, Stream = stream, Time = time.Value };
    }

    private static byte[] Unescape(ref Utf8JsonReader json)
    {
        // Unescaped text is never longer than its escaped form.
        var buffer = new byte[json.ValueSpan.Length];
        var length = json.CopyString(buffer);
        return length == buffer.Length ? buffer : buffer[..length];
    }
}
