using System.Globalization;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>
/// The four short texts of an exec, written and read by hand: making the serialiser ready for them takes longer than all the rest that
/// <c>orch exec</c> does. A test holds them to the model's JSON.
/// </summary>
internal static class ExecTexts
{
    internal static byte[] Of(ExecCreateRequest request)
    {
        var text = new StringBuilder(256).Append('{');
        Add(text, "AttachStdin", request.AttachStdin);
        Add(text, "AttachStdout", request.AttachStdout);
        Add(text, "AttachStderr", request.AttachStderr);
        Add(text, "DetachKeys", request.DetachKeys);
        Add(text, "Tty", request.Tty);
        Add(text, "ConsoleSize", request.ConsoleSize);
        Add(text, "Env", request.Env);
        Add(text, "Cmd", request.Cmd);
        Add(text, "Privileged", request.Privileged);
        Add(text, "User", request.User);
        Add(text, "WorkingDir", request.WorkingDir);
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }

    internal static byte[] Of(ExecStartRequest request)
    {
        var text = new StringBuilder(64).Append('{');
        Add(text, "Detach", request.Detach);
        Add(text, "Tty", request.Tty);
        Add(text, "ConsoleSize", request.ConsoleSize);
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }

    /// <summary>The id in the answer to a creation.</summary>
    /// <exception cref="JsonException">There is none.</exception>
    internal static string Id(ReadOnlySpan<byte> created) =>
        Member(created, "Id"u8) is [(byte)'"', .. var id, (byte)'"'] && !id.Contains((byte)'\\')
            ? Encoding.UTF8.GetString(id)
            : throw new JsonException("the answer has no id");

    /// <summary>How it fares: whether it runs, and the exit code, null before its end.</summary>
    /// <exception cref="JsonException">It is not the JSON of an exec.</exception>
    internal static (bool Running, int? ExitCode) State(ReadOnlySpan<byte> inspected)
    {
        var code = Member(inspected, "ExitCode"u8);
        if (code.IsEmpty || code.SequenceEqual("null"u8))
            return (Member(inspected, "Running"u8).SequenceEqual("true"u8), null);
        return int.TryParse(code, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? (Member(inspected, "Running"u8).SequenceEqual("true"u8), number)
            : throw new JsonException("the exit code is no number");
    }

    private static void Add(StringBuilder text, string name, bool value) => Name(text, name).Append(value ? "true" : "false");

    private static void Add(StringBuilder text, string name, string? value)
    {
        if (value is not null)
            Quote(Name(text, name), value);
    }

    private static void Add(StringBuilder text, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
            return;
        Name(text, name);
        for (var i = 0; i < values.Count; i++)
            Quote(text.Append(i == 0 ? '[' : ','), values[i]);
        text.Append(']');
    }

    private static void Add(StringBuilder text, string name, IReadOnlyList<int> values)
    {
        if (values.Count == 0)
            return;
        Name(text, name);
        for (var i = 0; i < values.Count; i++)
            text.Append(i == 0 ? '[' : ',').Append(values[i].ToString(CultureInfo.InvariantCulture));
        text.Append(']');
    }

    private static StringBuilder Name(StringBuilder text, string name) => (text.Length > 1 ? text.Append(',') : text).Append('"').Append(name).Append("\":");

    private static void Quote(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            if (c is '"' or '\\')
                text.Append('\\').Append(c);
            else if (c < ' ')
                text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else
                text.Append(c);
        }
        text.Append('"');
    }

    /// <summary>The value of the outermost object's member as it is written; empty when there is none.</summary>
    private static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var depth = 0;
        for (var at = 0; at < json.Length; at++)
        {
            switch (json[at])
            {
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
                case (byte)'"':
                    var end = StringEnd(json, at);
                    var value = Blank(json, end + 1);
                    if (depth == 1 && value < json.Length && json[value] == (byte)':' && json[(at + 1)..end].SequenceEqual(name))
                        return Scalar(json, Blank(json, value + 1));
                    at = end;
                    break;
                default:
                    break;
            }
        }
        return default;
    }

    private static ReadOnlySpan<byte> Scalar(ReadOnlySpan<byte> json, int at)
    {
        if (at < json.Length && json[at] == (byte)'"')
            return json[at..(StringEnd(json, at) + 1)];
        var end = at;
        while (end < json.Length && json[end] is not ((byte)',' or (byte)'}' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            end++;
        return json[at..end];
    }

    /// <summary>Where the string that begins at a quotation mark has its other one.</summary>
    private static int StringEnd(ReadOnlySpan<byte> json, int at)
    {
        for (var end = at + 1; end < json.Length; end++)
        {
            if (json[end] == (byte)'\\')
                end++;
            else if (json[end] == (byte)'"')
                return end;
        }
        throw new JsonException("the answer ends within a text");
    }

    private static int Blank(ReadOnlySpan<byte> json, int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            at++;
        return at;
    }
}
