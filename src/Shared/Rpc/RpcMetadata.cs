using System.Collections;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Shared.Rpc;

/// <summary>
/// Custom headers or trailers of a call: lower-case ASCII names; values are printable ASCII, or any bytes under a name
/// that ends in <c>-bin</c>, which travel as base64 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md, "Custom-Metadata").
/// </summary>
public sealed class RpcMetadata : IEnumerable<KeyValuePair<string, string>>
{
    public static readonly RpcMetadata Empty = new([]);

    private static readonly string[] Reserved = ["content-type", "content-length", "te", "user-agent", "host", "date", "server"];

    private readonly List<KeyValuePair<string, string>> items;

    private RpcMetadata(List<KeyValuePair<string, string>> items) => this.items = items;

    public int Count => items.Count;

    /// <summary>The first value under the name, or null.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in items)
            {
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return value;
            }

            return null;
        }
    }

    /// <summary>The same metadata and one more text value.</summary>
    public RpcMetadata With(string name, string value)
    {
        Check(name, binary: false);
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException($"the value of {name} holds something else than printable ASCII; use a name ending in -bin", nameof(value));
        return new([.. items, new(name, value)]);
    }

    /// <summary>The same metadata and one more binary value; the name ends in <c>-bin</c>.</summary>
    public RpcMetadata With(string name, ReadOnlySpan<byte> value)
    {
        Check(name, binary: true);
        return new([.. items, new(name, Convert.ToBase64String(value).TrimEnd('='))]);
    }

    /// <summary>The decoded bytes of the first value under a name that ends in <c>-bin</c>, or null.</summary>
    public byte[]? Binary(string name)
    {
        if (this[name] is not { } text)
            return null;
        return Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')); // senders may leave the padding out
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Collects what is not the protocol's own.</summary>
    internal static RpcMetadata From(IEnumerable<KeyValuePair<string, string>> headers)
    {
        List<KeyValuePair<string, string>> own = [.. headers.Where(h => !IsReserved(h.Key))];
        return own.Count == 0 ? Empty : new(own);
    }

    /// <summary>As <see cref="From(IEnumerable{KeyValuePair{string, string}})"/>; most calls have nothing but the protocol's own.</summary>
    internal static RpcMetadata From(IHeaderDictionary headers)
    {
        List<KeyValuePair<string, string>>? own = null;
        foreach (var (name, values) in headers)
        {
            if (IsReserved(name))
                continue;
            foreach (var value in values)
                (own ??= []).Add(new(name, value ?? ""));
        }

        return own is null ? Empty : new(own);
    }

    private static bool IsReserved(string name) =>
        name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) || name.StartsWith(':')
        || Array.Exists(Reserved, own => own.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static void Check(string name, bool binary)
    {
        if (name.Length == 0 || name.Any(c => c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.')))
            throw new ArgumentException($"'{name}' is not a metadata name: lower-case letters, digits, '-', '_' and '.'", nameof(name));
        if (IsReserved(name))
            throw new ArgumentException($"'{name}' belongs to the protocol", nameof(name));
        if (name.EndsWith("-bin", StringComparison.Ordinal) != binary)
            throw new ArgumentException($"'{name}': names of binary values, and only they, end in -bin", nameof(name));
    }
}
