using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Http;

namespace Orchestrator.Tests.Unit.Shared.Http;

/// <summary>A call of the API without a server: what went in and what came out.</summary>
internal sealed record ApiCall(int Status, IHeaderDictionary Headers, byte[] Bytes)
{
    internal string Text => Encoding.UTF8.GetString(Bytes);

    internal JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    internal static ApiRouter Router() => new("1.2.3", TimeProvider.System, NullLogger<ApiRouter>.Instance);

    internal static async Task<ApiCall> SendAsync(ApiRouter router, string method, string pathAndQuery, string? body = null, CancellationToken stop = default)
    {
        var http = new DefaultHttpContext();
        var parts = pathAndQuery.Split('?', 2);
        http.Request.Method = method;
        http.Request.Path = parts[0];
        http.Request.QueryString = parts.Length > 1 ? new QueryString("?" + parts[1]) : QueryString.Empty;
        http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body ?? ""));
        http.RequestAborted = stop;
        var answer = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        await router.DispatchAsync(http);
        await http.Response.BodyWriter.FlushAsync(CancellationToken.None);
        return new(http.Response.StatusCode, http.Response.Headers, answer.ToArray());
    }
}
