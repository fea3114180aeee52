using System.Text.Encodings.Web;
using System.Text.Json;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>
/// The four short texts of an exec, written and read by hand: making the serialiser ready for them takes longer than all the rest that
/// <c>orch exec</c> does. A test holds them to the model's JSON.
/// </summary>
internal static class ExecTexts
{
    private static readonly JsonWriterOptions AsTheModel = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    internal static byte[] Of(ExecCreateRequest request)
    {
        using var text = new MemoryStream();
        using var json = new Utf8JsonWriter(text, AsTheModel);
        json.WriteStartObject();
        json.WriteBoolean("AttachStdin"u8, request.AttachStdin);
        json.WriteBoolean("AttachStdout"u8, request.AttachStdout);
        json.WriteBoolean("AttachStderr"u8, request.AttachStderr);
        Write(json, "DetachKeys"u8, request.DetachKeys);
        json.WriteBoolean("Tty"u8, request.Tty);
        Write(json, "ConsoleSize"u8, request.ConsoleSize);
        Write(json, "Env"u8, request.Env);
        Write(json, "Cmd"u8, request.Cmd);
        json.WriteBoolean("Privileged"u8, request.Privileged);
        Write(json, "User"u8, request.User);
        Write(json, "WorkingDir"u8, request.WorkingDir);
        json.WriteEndObject();
        json.Flush();
        return text.ToArray();
    }

    internal static byte[] Of(ExecStartRequest request)
    {
        using var text = new MemoryStream();
        using var json = new Utf8JsonWriter(text, AsTheModel);
        json.WriteStartObject();
        json.WriteBoolean("Detach"u8, request.Detach);
        json.WriteBoolean("Tty"u8, request.Tty);
        Write(json, "ConsoleSize"u8, request.ConsoleSize);
        json.WriteEndObject();
        json.Flush();
        return text.ToArray();
    }

    /// <summary>The id in the answer to a creation.</summary>
    /// <exception cref="JsonException">There is none.</exception>
    internal static string Id(ReadOnlySpan<byte> created)
    {
        var json = new Utf8JsonReader(created);
        while (json.Read())
        {
            if (json.CurrentDepth == 1 && json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("Id"u8) && json.Read() && json.TokenType == JsonTokenType.String)
                return json.GetString()!;
        }
        throw new JsonException("no id in the answer");
    }

    /// <summary>How it fares: whether it runs, and the exit code, null before its end.</summary>
    /// <exception cref="JsonException">It is not the JSON of an exec.</exception>
    internal static (bool Running, int? ExitCode) State(ReadOnlySpan<byte> inspected)
    {
        var json = new Utf8JsonReader(inspected);
        var running = false;
        int? code = null;
        while (json.Read())
        {
            if (json.CurrentDepth != 1 || json.TokenType != JsonTokenType.PropertyName)
                continue;
            if (json.ValueTextEquals("Running"u8))
                running = json.Read() && json.TokenType == JsonTokenType.True;
            else if (json.ValueTextEquals("ExitCode"u8))
                code = json.Read() && json.TokenType == JsonTokenType.Number ? json.GetInt32() : null;
        }
        return (running, code);
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<int> values)
    {
        if (values.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
