using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>A call's head as it goes on to a node. The body follows as the client framed it.</summary>
internal static class RequestHead
{
    /// <summary>Of one connection, not of the call; the node closes behind its answer, which is how the end of it is known.</summary>
    private static readonly string[] Own = ["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Host"];

    internal static byte[] Of(HttpRequest request, string path)
    {
        var head = new StringBuilder($"{request.Method} {path}{request.QueryString.Value} HTTP/1.1\r\nHost: orch\r\nConnection: close\r\n");
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith(':') || Own.Contains(name, StringComparer.OrdinalIgnoreCase))
                continue;
            foreach (var value in values)
                head.Append($"{name}: {value}\r\n");
        }

        return Encoding.UTF8.GetBytes(head.Append("\r\n").ToString());
    }
}
