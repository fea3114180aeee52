using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Rpc;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>
/// Who comes to a cluster from outside, and what he is told: without a certificate, with a worker's, with an old token, with a forged CA. The output is
/// for reading; what matters of it is asserted.
/// </summary>
[Collection("labs")]
public sealed class StrangerTests(ITestOutputHelper output)
{
    private const string Hidden = "the bytes of the secret";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Strangers_get_a_sentence_and_nothing_else()
    {
        using var files = new ScratchFolder();
        var operators = new ApiCertificates();
        operators.Give(files.At("daemon"), "daemon", ["engine.example"]);
        operators.Give(files.At("operator"), "me");
        new ApiCertificates().Give(files.At("forged"), "me");
        string[] api = ["-H", "tcp://0.0.0.0:2376", .. ApiCertificates.Flags(files.At("daemon")).Split(' ')];
        await using var lab = await LabCluster.UpAsync(4, ["--apart", .. api.Select(a => $"--daemon-arg={a}")]);
        await using var outside = await Outsider.EnterAsync(lab);
        (await lab.OrchAsync("host1", "swarm", "init", "--advertise-addr", lab.Address("host1"))).Succeeded();
        foreach (var host in (string[])["host2", "host3"])
            (await lab.OrchAsync(host, "swarm", "join", "--token", await TokenAsync(lab), $"{lab.Address("host1")}:2377")).Succeeded();
        await File.WriteAllTextAsync(files.At("secret"), Hidden, Stop);
        (await lab.OrchAsync("host1", "secret", "create", "hidden", files.At("secret"))).Succeeded();
        (await lab.OrchAsync("host1", "service", "create", "--name", "keeper", "--secret", "hidden", "--constraint", "node.hostname==host3", "busybox:latest", "sleep", "1000")).Succeeded();
        var port = outside.To(lab.Address("host1"));

        await NoCertificateAsync(port);
        await WorkersCertificateAsync(lab, port);
        await OldTokenAsync(lab);
        await ForgedAsync(lab, outside, port);
        await EngineApiAsync(lab, files);

        // The door is not simply shut: who has today's token comes in.
        (await lab.OrchAsync("host4", "swarm", "join", "--token", await TokenAsync(lab), $"{lab.Address("host1")}:2377")).Succeeded();
    }

    private async Task NoCertificateAsync(RpcConnect port)
    {
        using var stranger = new RpcChannel(new() { Connect = MutualTls.Unverified(port) });
        const string nobody = "and the caller has no certificate: join the cluster first";
        const string who = "no certificate";
        Assert.Contains("BEGIN CERTIFICATE", (await CertificatesRpc.Client(stranger).RootAsync(Stop)).RootsPem, StringComparison.Ordinal);
        output.WriteLine($"{who}, asks for the CA's certificate: gets it, since it is public");
        await RefusedAsync(who, "joins with no token", () => CertificatesRpc.Client(stranger).IssueAsync(new() { Csr = [], Token = "", Address = "" }, Stop), RpcStatus.InvalidArgument, "what was given as a token is none");
        await RefusedAsync(who, "asks for a node's assignments", () => FirstAsync(stranger, new("n")), RpcStatus.Unauthenticated, nobody);
        await RefusedAsync(who, "reports on tasks", () => DispatcherRpc.Client(stranger).ReportAsync(new() { NodeId = new("n"), SessionId = "" }, Stop), RpcStatus.Unauthenticated, nobody);
        await RefusedAsync(who, "beats for a node", () => DispatcherRpc.Client(stranger).HeartbeatAsync(new() { NodeId = new("n"), SessionId = "" }, Stop), RpcStatus.Unauthenticated, nobody);
        await RefusedAsync(who, "renews a certificate", () => CertificatesRpc.Client(stranger).RenewAsync(new() { Csr = [] }, null!, Stop), RpcStatus.Unauthenticated, nobody);
        await RefusedAsync(who, "writes to the state", () => ControlRpc.Client(stranger).ProposeAsync(new(), Stop), RpcStatus.Unauthenticated, nobody);
        await RefusedAsync(who, "takes part in the consensus", () => RaftAsync(stranger), RpcStatus.Unauthenticated, nobody);
    }

    private async Task WorkersCertificateAsync(LabCluster lab, RpcConnect port)
    {
        var (own, other) = (Stolen(lab, "host2"), Stolen(lab, "host3"));
        await lab.KillDaemonAsync("host2"); // whose key is in other hands now
        using var worker = Channel(port, own);
        using var control = Channel(port, other);
        const string who = "a worker's certificate";
        var manager = $"is for managers, and node {own.NodeId} is a worker by its certificate";
        await RefusedAsync(who, "writes to the state", () => ControlRpc.Client(worker).ProposeAsync(new(), Stop), RpcStatus.PermissionDenied, manager);
        await RefusedAsync(who, "asks to vote", () => ControlRpc.Client(worker).AdmitAsync(new() { NodeId = own.NodeId, Member = 7, Address = "192.0.2.1:2377" }, Stop), RpcStatus.PermissionDenied, manager);
        await RefusedAsync(who, "takes part in the consensus", () => RaftAsync(worker), RpcStatus.PermissionDenied, manager);
        var itself = $"node {own.NodeId} speaks for itself alone, not for node {other.NodeId}";
        await RefusedAsync(who, "says another node's farewell", () => ControlRpc.Client(worker).LeaveAsync(new() { NodeId = other.NodeId }, Stop), RpcStatus.PermissionDenied, itself);

        using var request = SigningRequest.Create();
        var renewed = await CertificatesRpc.Client(worker).RenewAsync(new() { Csr = request.Der }, null!, Stop);
        Assert.Equal((own.NodeId, NodeRole.Worker), (renewed.NodeId, renewed.Role));
        output.WriteLine($"{who}, renews: gets a {renewed.Role.ToString().ToLowerInvariant()}'s again, whatever its request names");

        await RefusedAsync(who, "asks for another node's assignments, a secret among them", () => FirstAsync(worker, other.NodeId), RpcStatus.PermissionDenied, itself);
        await foreach (var assignments in DispatcherRpc.Client(worker).SessionAsync(Session(own.NodeId), Stop))
        {
            Assert.Empty(assignments.Secrets);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Hidden)), Encoding.UTF8.GetString(ModelJson.Write(assignments)), StringComparison.Ordinal);
            if (!assignments.Complete)
                continue;
            output.WriteLine($"{who}, opens its own session: {assignments.Tasks.Count} tasks, no secrets, because none of its tasks names one");
            break;
        }

        var secrets = new List<AssignedPayload>();
        await foreach (var assignments in DispatcherRpc.Client(control).SessionAsync(Session(other.NodeId), Stop))
        {
            secrets.AddRange(assignments.Secrets);
            if (assignments.Complete)
                break;
        }

        Assert.Equal(Hidden, Encoding.UTF8.GetString(Assert.Single(secrets).Data)); // that node's tasks do name it

        var task = (await lab.GetAsync("host1", "/tasks")).EnumerateArray().First(t => t.GetProperty("NodeID").GetString() == other.NodeId.Value).GetProperty("ID").GetString()!;
        var failed = new TaskStatusUpdate { TaskId = new(task), Status = new() { State = TaskState.Failed, Message = "written by a stranger", Timestamp = TimeProvider.System.GetUtcNow() } };
        await RefusedAsync(
            who, "reports in another node's name", () => DispatcherRpc.Client(worker).ReportAsync(new() { NodeId = other.NodeId, SessionId = "s", Updates = [failed] }, Stop),
            RpcStatus.PermissionDenied, itself);
        await using var session = DispatcherRpc.Client(worker).SessionAsync(Session(own.NodeId), Stop).GetAsyncEnumerator(Stop);
        Assert.True(await session.MoveNextAsync());
        await RefusedAsync(
            who, "writes the status of another node's task",
            () => DispatcherRpc.Client(worker).ReportAsync(new() { NodeId = own.NodeId, SessionId = session.Current.SessionId, Updates = [failed] }, Stop),
            RpcStatus.PermissionDenied, $"task {task} is not node {own.NodeId}'s: a node reports its own tasks alone");
        Assert.DoesNotContain("written by a stranger", (await lab.GetAsync("host1", $"/tasks/{task}")).ToString(), StringComparison.Ordinal);
    }

    private async Task OldTokenAsync(LabCluster lab)
    {
        var old = await TokenAsync(lab);
        (await lab.OrchAsync("host1", "swarm", "join-token", "--rotate", "-q", "worker")).Succeeded();
        await JoinRefusedAsync(lab, "an old token", old, $"{lab.Address("host1")}:2377", "the join token is not valid: it was rotated, or is another cluster's");
    }

    private async Task ForgedAsync(LabCluster lab, Outsider outside, RpcConnect port)
    {
        // The same names under another key: as who leads, and as a joiner's manager.
        var leader = Stolen(lab, "host1");
        var forger = CertificateAuthority.Create(TimeProvider.System.GetUtcNow());
        using var request = SigningRequest.Create();
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = forger.Issue(request.Der, leader.NodeId, NodeRole.Manager, leader.ClusterId, now, TimeSpan.FromDays(1));
        var forged = NodeCredentials.Take(certificate.ExportCertificatePem() + "\n", forger.CertificatePem, request.Key, now);
        using var impostor = new RpcChannel(new() { Connect = Outsider.Careless(port, forged) });
        var sentence = $"the certificate of node {leader.NodeId} names this cluster, but no CA that it trusts has issued it";
        await RefusedAsync("a forged CA", "writes to the state as the leader", () => ControlRpc.Client(impostor).ProposeAsync(new(), Stop), RpcStatus.Unauthenticated, sentence);
        await RefusedAsync("a forged CA", "takes part in the consensus", () => RaftAsync(impostor), RpcStatus.Unauthenticated, sentence);
        await RefusedAsync("a forged CA", "asks for the roots, which are public", () => CertificatesRpc.Client(impostor).RootAsync(Stop), RpcStatus.Unauthenticated, sentence);

        var token = await TokenAsync(lab);
        await PoseAsync(7771, forger.CertificatePem, "the manager's root certificate is not the one that the token names");
        await PoseAsync(7772, leader.RootsPem, $"whoever answers there is refused: {sentence}"); // the true root, which anyone can have, and no key to it

        async Task PoseAsync(int at, string root, string told)
        {
            var trap = new Trap(root);
            var server = new RpcServer(TimeProvider.System, NullLogger.Instance);
            CertificatesRpc.Map(server, () => trap);
            await using var listener = await SecureHost.StartAsync(new CredentialBox(forged), server);
            await outside.ListenAsync(at, listener.Address);
            await JoinRefusedAsync(lab, "a token, to a manager under a forged CA", token, $"{outside.Address}:{at}", told);
            Assert.Equal((1, 0), (trap.Roots, trap.Tokens));
            output.WriteLine("    the forger was asked for its root, and has not seen the token");
        }
    }

    private async Task EngineApiAsync(LabCluster lab, ScratchFolder files)
    {
        string[] curl = ["curl", "-sS", "--resolve", $"engine.example:2376:{lab.Address("host1")}", "--cacert", files.At("operator/ca.pem")];
        Assert.Equal("OK", (await lab.InsideAsync("switch", [.. curl, .. Shown(files.At("operator")), "https://engine.example:2376/_ping"])).Succeeded().Output);
        await ToldAsync("no certificate", [], "this one shows none");
        await ToldAsync("a forged CA", Shown(files.At("forged")), "the client's certificate 'CN=me' is not of the CA that this daemon believes");
        var node = Path.Combine(Data(lab, "host2"), "swarm", "certificates", "node.pem");
        await ToldAsync("a worker's certificate", ["--cert", node, "--key", node], "is not of the CA that this daemon believes");

        async Task ToldAsync(string who, string[] shown, string sentence)
        {
            var ran = (await lab.InsideAsync("switch", [.. curl, .. shown, "https://engine.example:2376/secrets"])).Succeeded();
            output.WriteLine($"{who}, at the Engine API over TCP: {ran.Output}");
            Assert.Contains(sentence, ran.Output, StringComparison.Ordinal);
        }

        static string[] Shown(string folder) => ["--cert", $"{folder}/cert.pem", "--key", $"{folder}/key.pem"];
    }

    /// <summary>The host stays outside, by our client and by the stock one.</summary>
    private async Task JoinRefusedAsync(LabCluster lab, string who, string token, string remote, string sentence)
    {
        var ran = await lab.OrchAsync("host4", "swarm", "join", "--token", token, remote);
        output.WriteLine($"{who}, joins: {ran.Error.Trim()}");
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(sentence, ran.Error, StringComparison.Ordinal);
        Assert.Equal("inactive", (await lab.GetAsync("host4", "/info")).GetProperty("Swarm").GetProperty("LocalNodeState").GetString());
    }

    private async Task RefusedAsync(string who, string what, Func<Task> call, RpcStatus status, string sentence)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(call);
        output.WriteLine($"{who}, {what}: {refusal.Status}, {refusal.Detail}");
        Assert.Contains(sentence, refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(status, refusal.Status);
    }

    private static async Task FirstAsync(RpcChannel channel, NodeId node)
    {
        await using var session = DispatcherRpc.Client(channel).SessionAsync(Session(node), Stop).GetAsyncEnumerator(Stop);
        await session.MoveNextAsync();
    }

    private static Task RaftAsync(RpcChannel channel) => channel.ClientStreamAsync(RaftMethods.Messages, AsyncEnumerable.Empty<Message>(), stop: Stop);

    private static SessionRequest Session(NodeId node) => new() { NodeId = node, Description = new NodeDescription { Hostname = "stranger" } };

    private static RpcChannel Channel(RpcConnect port, NodeCredentials own) =>
        new(new() { Connect = MutualTls.Client(port, new CredentialBox(own), TimeProvider.System, PeerExpectation.AnyManager) });

    private static NodeCredentials Stolen(LabCluster lab, string host) =>
        new NodeCredentialsFile(Path.Combine(Data(lab, host), "swarm", "certificates")).Read() ?? throw new InvalidOperationException($"{host} has no certificate");

    private static string Data(LabCluster lab, string host) => Path.Combine(lab.Folder, "hosts", host, "data");

    private static async Task<string> TokenAsync(LabCluster lab) => (await lab.OrchAsync("host1", "swarm", "join-token", "-q", "worker")).Succeeded().Output.Trim();

    /// <summary>A manager that is none: it answers for a CA and counts who believes it.</summary>
    private sealed class Trap(string rootsPem) : ICertificates
    {
        private int _roots;
        private int _tokens;

        internal int Roots => _roots;

        internal int Tokens => _tokens;

        public Task<RootReply> RootAsync(CancellationToken stop)
        {
            Interlocked.Increment(ref _roots);
            return Task.FromResult(new RootReply { RootsPem = rootsPem });
        }

        public Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop)
        {
            Interlocked.Increment(ref _tokens);
            throw new RpcException(RpcStatus.Unavailable, "the forger has the token now");
        }

        public Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop) => throw new RpcException(RpcStatus.Unimplemented, "");

        public Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop) => throw new RpcException(RpcStatus.Unimplemented, "");
    }
}
