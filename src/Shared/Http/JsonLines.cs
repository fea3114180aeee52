using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Http;

/// <summary>An answer that goes on: one JSON text a line, each sent at once.</summary>
public sealed class JsonLines
{
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();
    private readonly HttpContext _http;

    private JsonLines(HttpContext http) => _http = http;

    /// <summary>Sends status and headers, so that a client sees the stream open before its first line.</summary>
    internal static async Task<JsonLines> StartAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(http.RequestAborted);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        return new(http);
    }

    public Task WriteAsync<T>(T value, CancellationToken stop) => WriteAsync(value, ModelJson.Of<T>(), stop);

    public Task WriteAsync<T>(T value, JsonTypeInfo<T> type, CancellationToken stop) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), stop);

    private async Task SendAsync(ReadOnlyMemory<byte> json, CancellationToken stop)
    {
        await _http.Response.Body.WriteAsync(json, stop);
        await _http.Response.Body.WriteAsync(LineEnd, stop);
        await _http.Response.Body.FlushAsync(stop);
    }
}
