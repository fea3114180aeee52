using System.Buffers;
using System.Net;
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
/// driver, the same number of connections. The Engine API would put HTTP/1.1 and a unix socket on our side alone. The write is a real
/// one: the client's own config gets a label of 256 bytes, and names the version that it read, so a lost or a double write would be refused.
/// Clients show the certificate of a manager that does not lead: no other may forward.
/// </remarks>
internal sealed class OrchManagers : IWriteTarget
{
    private const int FirstPort = 23770;
    private readonly List<PeerDaemon> _daemons = [];
    private readonly List<EngineDriver> _engines = [];
    private readonly ulong[] _versions;
    private NodeCredentials? _client;
    private long _requests;
    private int _leader;

    private OrchManagers(int clients) => _versions = new ulong[clients];

    public string Name => "orch";

    public IReadOnlyList<string> Roots => _daemons.ConvertAll(d => d.Root);

    public string Path => ControlRpc.Propose.Path;

    /// <param name="clients">Who write: each gets a config.</param>
    /// <param name="prefix">Before the command of each daemon.</param>
    internal static async Task<OrchManagers> StartAsync(int clients, string prefix)
    {
        var cluster = new OrchManagers(clients);
        try
        {
            await cluster.BeginAsync(prefix);
            return cluster;
        }
        catch (Exception failure)
        {
            var logs = string.Concat(cluster._daemons.Select(d => d.Log));
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"orch's managers did not start: {failure.Message}\n{logs}", failure);
        }
    }

    public Task<Stream> ConnectAsync() => BenchTls.ConnectAsync(IPEndPoint.Parse(Address(_leader)), new()
    {
        ClientCertificateContext = _client!.Tls,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Trusts(certificate as X509Certificate2),
    });

    public void Encode(int client, IBufferWriter<byte> into) => ControlRpc.Propose.Request.Write(
        Request(new UpdateConfigLabels(Id(client), _versions[client], Spec(client, WriteBench.Value)) { At = TimeProvider.System.GetUtcNow() }), into);

    public void Decode(int client, ReadOnlyMemory<byte> answer) =>
        _versions[client] = Judge(ControlRpc.Propose.Response.Read(new(answer))).Index;

    public async ValueTask DisposeAsync()
    {
        _engines.ForEach(e => e.Dispose());
        foreach (var daemon in _daemons)
            await daemon.DisposeAsync();
        _client?.Certificate.Dispose();
    }

    private async Task BeginAsync(string prefix)
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

        _leader = await LeaderAsync();
        var folder = System.IO.Path.Combine(_daemons[(_leader + 1) % 3].Root, "data", "swarm", "certificates");
        _client = new NodeCredentialsFile(folder).Read() ?? throw new InvalidOperationException($"{folder} holds no certificate");
        using var channel = new RpcChannel(new() { Connect = async _ => await ConnectAsync() });
        var control = ControlRpc.Client(channel);
        for (var client = 0; client < _versions.Length; client++)
        {
            var made = new CreateConfig(Id(client), Spec(client, "") with { Data = [0] }) { At = TimeProvider.System.GetUtcNow() };
            _versions[client] = Judge(await control.ProposeAsync(Request(made), CancellationToken.None)).Index;
        }
    }

    private ProposeRequest Request(Command command) =>
        new() { Command = ControlLink.Write(command with { RequestId = $"bench-{Interlocked.Increment(ref _requests):x}" }) };

    private static Outcome Judge(ProposeReply reply)
    {
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
