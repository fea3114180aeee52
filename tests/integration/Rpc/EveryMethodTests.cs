using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Integration.Rpc;

/// <summary>Every method of the cluster port, called by nobody, by a worker and by a manager.</summary>
public sealed class EveryMethodTests
{
    private const int PermissionDenied = 7;
    private const int Unauthenticated = 16;

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly CertificateAuthority authority = CertificateAuthority.Create(Now);

    [Fact]
    public async Task Each_method_is_answered_to_whom_it_is_for_and_to_nobody_else()
    {
        var server = new RpcServer(TimeProvider.System, NullLogger.Instance);
        DispatcherRpc.Map(server, () => null);
        CertificatesRpc.Map(server, () => null);
        ControlRpc.Map(server, _ => null);
        RpcPeerNetwork.Map(server, () => null);
        TaskLogsRpc.Map(server, new NoLogs(), _ => null);
        await using var host = await SecureHost.StartAsync(new(Node("m1", NodeRole.Manager)), server);
        using var nobody = Caller(MutualTls.Unverified(host.Transport));
        using var worker = Caller(Client(host, Node("w1", NodeRole.Worker)));
        using var manager = Caller(Client(host, Node("m2", NodeRole.Manager)));

        Assert.NotEmpty(server.Methods);
        foreach (var (path, access) in server.Methods)
        {
            Expect(path, "nobody", access == RpcAccess.Anyone ? null : Unauthenticated, await StatusAsync(nobody, path));
            Expect(path, "a worker", access == RpcAccess.Manager ? PermissionDenied : null, await StatusAsync(worker, path));
            Expect(path, "a manager", null, await StatusAsync(manager, path));
        }
    }

    /// <summary>Who is let in is answered by the method itself: here that there is no manager, or no message.</summary>
    private static void Expect(string path, string caller, int? refusal, int status)
    {
        if (refusal is { } expected)
            Assert.True(status == expected, $"{path} answered {caller} with status {status}, not {expected}");
        else
            Assert.False(status is PermissionDenied or Unauthenticated, $"{path} refused {caller}");
    }

    private static async Task<int> StatusAsync(HttpMessageInvoker http, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://localhost{path}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc+json") } },
        };
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var status = response.Headers.TryGetValues("grpc-status", out var early) ? early : response.TrailingHeaders.GetValues("grpc-status");
        return int.Parse(status.Single(), CultureInfo.InvariantCulture);
    }

    private static RpcConnect Client(SecureHost host, NodeCredentials own) =>
        MutualTls.Client(host.Transport, new CredentialBox(own), TimeProvider.System, PeerExpectation.AnyManager);

    private static HttpMessageInvoker Caller(RpcConnect connect) => new(new SocketsHttpHandler { ConnectCallback = (_, stop) => connect(stop), UseProxy = false });

    private NodeCredentials Node(string name, NodeRole role)
    {
        using var request = SigningRequest.Create();
        using var certificate = authority.Issue(request.Der, new(name), role, "cluster", Now, TimeSpan.FromDays(1));
        return NodeCredentials.Take(certificate.ExportCertificatePem(), authority.CertificatePem, request.Key, Now);
    }

    private sealed class NoLogs : ITaskLogs
    {
        public IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, CancellationToken stop) => AsyncEnumerable.Empty<LogRecord>();
    }
}
