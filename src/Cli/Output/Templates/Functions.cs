using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orchestrator.Cli.Output.Templates;

/// <summary>The functions of Go's templates and of docker's (docker/cli, templates/templates.go).</summary>
internal static class Functions
{
    internal static object? Call(string name, IReadOnlyList<object?> given, int column)
    {
        object?[] a = [.. given.Select(Values.Plain)];
        return name switch
        {
            "json" => Json(At(given, 0)),
            "join" => string.Join(Text(1), Values.Items(At(a, 0)).Select(i => Values.Print(i.Item))),
            "lower" => Text(0).ToLowerInvariant(),
            "upper" => Text(0).ToUpperInvariant(),
            "title" => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(Text(0)),
            "split" => Text(0).Split(Text(1)).ToList<object?>(),
            "truncate" => Text(0) is var text && Whole(1) is var length && text.Length > length ? text[..(int)Math.Max(0, length)] : Text(0),
            "pad" => Text(0).Length == 0 ? "" : new string(' ', (int)Whole(1)) + Text(0) + new string(' ', (int)Whole(2)),
            "len" => Length(At(a, 0)),
            "slice" => Slice(),
            "html" => System.Net.WebUtility.HtmlEncode(string.Concat(a.Select(Values.Print))),
            "urlquery" => Uri.EscapeDataString(string.Concat(a.Select(Values.Print))),
            "index" => Index(a),
            "and" => a.FirstOrDefault(v => !Values.IsTrue(v), At(a, a.Length - 1)),
            "or" => a.FirstOrDefault(Values.IsTrue, At(a, a.Length - 1)),
            "not" => !Values.IsTrue(At(a, 0)),
            "eq" => Compare(At(a, 0), At(a, 1)) == 0 || a.Skip(2).Any(v => Compare(a[0], v) == 0),
            "ne" => Compare(At(a, 0), At(a, 1)) != 0,
            "lt" => Compare(At(a, 0), At(a, 1)) < 0,
            "le" => Compare(At(a, 0), At(a, 1)) <= 0,
            "gt" => Compare(At(a, 0), At(a, 1)) > 0,
            "ge" => Compare(At(a, 0), At(a, 1)) >= 0,
            "print" => string.Concat(a.Select(Values.Print)),
            "println" => string.Join(' ', a.Select(Values.Print)) + "\n",
            "printf" => Printf(Text(0), a[1..], column),
            "table" => "",
            _ => throw new TemplateException(column, $"unknown function '{name}'"),
        };

        object? At(IReadOnlyList<object?> from, int i) => i >= 0 && i < from.Count
            ? from[i]
            : throw new TemplateException(column, $"'{name}' needs {Math.Max(1, i + 1)} arguments, not {from.Count}");

        string Text(int i) => i < a.Length
            ? Values.Print(a[i])
            : throw new TemplateException(column, $"'{name}' needs {i + 1} arguments, not {a.Length}");

        long Whole(int i) => i < a.Length && a[i] is long number
            ? number
            : throw new TemplateException(column, $"argument {i + 1} of '{name}' must be a whole number");

        object? Index(object?[] path)
        {
            var value = At(path, 0);
            foreach (var key in path.Skip(1))
            {
                var found = Values.Items(value).Where(i => Equals(i.Key, key)).Select(i => i.Item).ToList();
                if (found.Count == 0 && key is long)
                    throw new TemplateException(column, $"index {key} is out of range");
                value = found.Count > 0 ? Values.Plain(found[0]) : "";
            }
            return value;
        }

        object? Slice()
        {
            var whole = At(a, 0);
            var items = whole is string ? null : Values.Items(whole).Select(i => i.Item).ToList();
            var count = items?.Count ?? Text(0).Length;
            var from = a.Length > 1 ? Whole(1) : 0;
            var to = a.Length > 2 ? Whole(2) : count;
            if (from < 0 || to > count || from > to)
                throw new TemplateException(column, $"slice {from}:{to} is out of range of {count}");
            return items is null ? Text(0)[(int)from..(int)to] : items[(int)from..(int)to];
        }

        long Length(object? value) => value switch
        {
            string text => text.Length,
            null => 0,
            _ => Values.Items(value).Count(),
        };

        int Compare(object? left, object? right) => (left, right) switch
        {
            (long or double, long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture)),
            (string or bool or null, string or bool or null) => string.CompareOrdinal(Values.Print(left), Values.Print(right)),
            _ => throw new TemplateException(column, $"'{name}' cannot compare {Values.Print(left)} with {Values.Print(right)}"),
        };
    }

    private static string Json(object? value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(writer, value);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case Typed typed:
                Write(writer, typed.Json);
                break;
            case JsonElement { ValueKind: not JsonValueKind.Undefined } json:
                json.WriteTo(writer);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case IReadOnlyList<object?> list:
                writer.WriteStartArray();
                foreach (var item in list)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static string Printf(string format, object?[] arguments, int column)
    {
        var text = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 >= format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var start = ++i;
            while (i < format.Length && (char.IsAsciiDigit(format[i]) || format[i] is '-' or '.' or '+'))
                i++;
            if (i >= format.Length)
                throw new TemplateException(column, $"'{format}' ends within a verb");
            if (format[i] == '%')
            {
                text.Append('%');
                continue;
            }
            if (next >= arguments.Length)
                throw new TemplateException(column, $"printf has no value for %{format[i]}");
            text.Append(Verb(format[i], format[start..i], arguments[next++], column));
        }
        return text.ToString();
    }

    private static string Verb(char verb, string flags, object? value, int column)
    {
        var width = flags.TrimStart('-', '+', '0').Split('.');
        var body = verb switch
        {
            's' or 'v' => Values.Print(value),
            'q' => Json(Values.Print(value)),
            'd' when value is long number => number.ToString(CultureInfo.InvariantCulture),
            'd' when long.TryParse(value as string, out var parsed) => parsed.ToString(CultureInfo.InvariantCulture),
            'f' when value is double or long => Convert.ToDouble(value, CultureInfo.InvariantCulture)
                .ToString("F" + (width is [_, var digits] ? digits : "6"), CultureInfo.InvariantCulture),
            't' when value is bool => Values.Print(value),
            'x' when value is long number => number.ToString("x", CultureInfo.InvariantCulture),
            _ => throw new TemplateException(column, $"%{verb} cannot print '{Values.Print(value)}'"),
        };
        return !int.TryParse(width[0], CultureInfo.InvariantCulture, out var wide) ? body
            : flags.StartsWith('-') ? body.PadRight(wide)
            : body.PadLeft(wide, flags.StartsWith('0') ? '0' : ' ');
    }
}
