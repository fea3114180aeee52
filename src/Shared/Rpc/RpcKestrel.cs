using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Orchestrator.Shared.Rpc;

/// <summary>Kestrel's limits are made for browsers; calls between nodes live long and may be slow.</summary>
public static class RpcKestrel
{
    /// <summary>Lifts the limits that would abort slow, long or many streams. What a request may weigh is limited by message (<see cref="RpcMethod{TRequest,TResponse}.MaxMessageBytes"/>).</summary>
    public static void Configure(KestrelServerOptions options)
    {
        var limits = options.Limits;
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.Http2.MaxStreamsPerConnection = 10_000;
        limits.Http2.InitialStreamWindowSize = 1 << 20;
        limits.Http2.InitialConnectionWindowSize = 4 << 20;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        options.AddServerHeader = false;

        // Calls say http also where TLS lies below: the channel's connect function makes it, out of the HTTP client's sight.
        options.AllowAlternateSchemes = true;
    }

    /// <summary>HTTP/2 only: without TLS nothing negotiates the version, and HTTP/1.1 would be taken.</summary>
    public static void Endpoint(ListenOptions endpoint) => endpoint.Protocols = HttpProtocols.Http2;
}
