using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Tests.Bench.Services;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>
/// Three managers as in life: <c>orch daemon</c> processes of the release binary on loopback, joined by tokens, mutual TLS between them and
/// towards clients.
/// </summary>
/// <remarks>
/// A client writes as another manager forwards a write: one unary call of the control service (<c>Propose</c>) to the leader, over gRPC and
/// mutual TLS, answered when the entry lies on a majority's disks and is applied. That is what etcd's <c>KV.Put</c> is: the same HTTP/2, the same
/// client code, the same number of connections. The Engine API would put HTTP/1.1 and a unix socket on our side alone. The write is a real
/// one: the client's own config gets a label of 256 bytes, and names the version that it read, so a lost or a double write would be refused.
/// Clients show the certificate of a manager that does not lead: no other may forward.
/// </remarks>
internal sealed class OrchManagers : IWriteTarget
{
    private const int FirstPort = 23770;
    private readonly List<PeerDaemon> _daemons = [];
    private readonly List<EngineDriver> _engines = [];
    private readonly List<RpcChannel> _channels = [];
    private readonly List<IControl> _controls = [];
    private readonly ulong[] _versions;
    private NodeCredentials? _client;
    private long _requests;

    private OrchManagers(int clients) => _versions = new ulong[clients];

    public string Name => "orch";

    /// <param name="connections">From the driver to the leader.</param>
    /// <param name="clients">Who write: each gets a config.</param>
    /// <param name="prefix">Before the command of each daemon.</param>
    internal static async Task<OrchManagers> StartAsync(int connections, int clients, string prefix)
    {
        var cluster = new OrchManagers(clients);
        try
        {
            await cluster.BeginAsync(connections, prefix);
            return cluster;
        }
        catch (Exception failure)
        {
            var logs = string.Concat(cluster._daemons.Select(d => d.Log));
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"orch's managers did not start: {failure.Message}\n{logs}", failure);
        }
    }

    /// <summary>One durable write of 256 bytes under the client's own key.</summary>
    public async Task WriteAsync(int client, string value)
    {
        var outcome = await ProposeAsync(client, new UpdateConfigLabels(Id(client), _versions[client], Spec(client, value)) { At = TimeProvider.System.GetUtcNow() });
        _versions[client] = outcome.Index;
    }

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(c => c.Dispose());
        _engines.ForEach(e => e.Dispose());
        foreach (var daemon in _daemons)
            await daemon.DisposeAsync();
        _client?.Certificate.Dispose();
    }

    private async Task BeginAsync(int connections, string prefix)
    {
        for (var n = 0; n < 3; n++)
        {
            _daemons.Add(PeerDaemon.Beside($"m{n}", $"{prefix}{ServiceStart.OrchDaemon} --log-level warn"));
            _engines.Add(new(_daemons[n].Socket));
        }

        foreach (var engine in _engines)
            await engine.WaitReadyAsync();
        await _engines[0].PostAsync("swarm/init", new JsonObject { ["ListenAddr"] = Address(0), ["AdvertiseAddr"] = Address(0) });
        var token = (await _engines[0].GetAsync("swarm"))["JoinTokens"]!["Manager"]!.GetValue<string>();
        for (var n = 1; n < 3; n++)
        {
            await _engines[n].PostAsync("swarm/join", new JsonObject
            {
                ["ListenAddr"] = Address(n), ["AdvertiseAddr"] = Address(n), ["RemoteAddrs"] = new JsonArray(Address(0)), ["JoinToken"] = token,
            });
        }

        var leader = await LeaderAsync();
        var folder = Path.Combine(_daemons[(leader + 1) % 3].Root, "data", "swarm", "certificates");
        _client = new NodeCredentialsFile(folder).Read() ?? throw new InvalidOperationException($"{folder} holds no certificate");
        for (var n = 0; n < connections; n++)
        {
            _channels.Add(Channel(leader));
            _controls.Add(ControlRpc.Client(_channels[n]));
        }

        await Task.WhenAll(Enumerable.Range(0, _versions.Length).Select(async client =>
        {
            var spec = Spec(client, "") with { Data = [0] };
            var made = await ProposeAsync(client, new CreateConfig(Id(client), spec) { At = TimeProvider.System.GetUtcNow() });
            _versions[client] = made.Index;
        }));
    }

    private async Task<Outcome> ProposeAsync(int client, Command command)
    {
        var request = new ProposeRequest { Command = ControlLink.Write(command with { RequestId = $"bench-{Interlocked.Increment(ref _requests):x}" }) };
        var reply = await _controls[client % _controls.Count].ProposeAsync(request, CancellationToken.None);
        var outcome = JsonSerializer.Deserialize(reply.Outcome, StateJson.Outcome)!;
        return outcome.Refusal is { } refusal ? throw new InvalidOperationException($"the write was refused: {refusal.Message}") : outcome;
    }

    /// <summary>All three vote, and one of them leads.</summary>
    private async Task<int> LeaderAsync()
    {
        for (var attempt = 0; attempt < 300; attempt++)
        {
            var managers = (await _engines[0].GetAsync("nodes")).AsArray().Select(n => n!["ManagerStatus"]).ToList();
            var leader = managers.Find(m => m?["Leader"]?.GetValue<bool>() == true)?["Addr"]?.GetValue<string>();
            if (leader is not null && managers.Count(m => m?["Reachability"]?.GetValue<string>() == "reachable") == 3)
                return Enumerable.Range(0, 3).First(n => Address(n) == leader);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        throw new InvalidOperationException("three managers were not together after thirty seconds");
    }

    private RpcChannel Channel(int n) => new(new()
    {
        Connect = RpcConnects.Tcp(IPEndPoint.Parse(Address(n))),
        Tls = new SslClientAuthenticationOptions
        {
            ClientCertificateContext = _client!.Tls,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => Trusts(certificate as X509Certificate2),
        },
    });

    private bool Trusts(X509Certificate2? certificate)
    {
        using var chain = new X509Chain { ChainPolicy = CertificateTrust.Policy(_client!.Roots, TimeProvider.System.GetUtcNow()) };
        return certificate is not null && chain.Build(certificate);
    }

    private static string Id(int client) => $"benchconfig{client}";

    private static ConfigSpec Spec(int client, string value) =>
        new() { Name = $"client-{client}", Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["value"] = value } };

    private static string Address(int n) => $"127.0.0.1:{FirstPort + n}";
}
