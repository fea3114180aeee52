using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>Three members of etcd on loopback, mutual TLS between them and towards clients, data in a temporary folder.</summary>
internal sealed class EtcdMembers : IWriteTarget
{
    private const int FirstPort = 23790;
    private readonly string _root = Directory.CreateTempSubdirectory("orch-bench-etcd-").FullName;
    private readonly List<Process> _members = [];
    private readonly BenchCertificates _certificates;
    private int _leader;

    private EtcdMembers() => _certificates = new(_root);

    public string Name => "etcd";

    public IReadOnlyList<string> Roots => [_root];

    public string Path => EtcdPut.Method.Path;

    /// <param name="prefix">Words before the command of each member.</param>
    internal static async Task<EtcdMembers> StartAsync(IReadOnlyList<string> prefix)
    {
        var cluster = new EtcdMembers();
        try
        {
            await cluster.BeginAsync(prefix);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task<Stream> ConnectAsync() => BenchTls.ConnectAsync(new(IPAddress.Loopback, Client(_leader)), Tls());

    public void Encode(int client, IBufferWriter<byte> into) =>
        EtcdPut.Method.Request.Write((Encoding.ASCII.GetBytes($"client-{client}"), Encoding.ASCII.GetBytes(WriteBench.Value)), into);

    public void Decode(int client, ReadOnlyMemory<byte> answer)
    {
        // the new revision, which a plain Put does not need
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            if (!member.HasExited)
            {
                using var kill = Process.Start("kill", ["-TERM", $"{member.Id}"]); // one that slows its syncs hands it on
                await kill.WaitForExitAsync();
            }

            await member.WaitForExitAsync();
            member.Dispose();
        }

        _certificates.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private async Task BeginAsync(IReadOnlyList<string> prefix)
    {
        var all = string.Join(',', Enumerable.Range(0, 3).Select(n => $"m{n}=https://127.0.0.1:{Peer(n)}"));
        for (var n = 0; n < 3; n++)
            _members.Add(Start(n, all, prefix));
        _leader = await LeaderAsync();
    }

    private Process Start(int n, string all, IReadOnlyList<string> prefix)
    {
        string[] tls =
        [
            $"--cert-file={_root}/member.pem", $"--key-file={_root}/member-key.pem", $"--trusted-ca-file={_certificates.Ca}", "--client-cert-auth",
            $"--peer-cert-file={_root}/member.pem", $"--peer-key-file={_root}/member-key.pem", $"--peer-trusted-ca-file={_certificates.Ca}", "--peer-client-cert-auth",
        ];
        string[] words =
        [
            .. prefix, "etcd",
            "--name", $"m{n}", "--data-dir", $"{_root}/m{n}", "--logger", "zap", "--log-outputs", $"{_root}/m{n}.log", "--log-level", "error",
            "--listen-client-urls", $"https://127.0.0.1:{Client(n)}", "--advertise-client-urls", $"https://127.0.0.1:{Client(n)}",
            "--listen-peer-urls", $"https://127.0.0.1:{Peer(n)}", "--initial-advertise-peer-urls", $"https://127.0.0.1:{Peer(n)}",
            "--initial-cluster", all, "--initial-cluster-state", "new", .. tls,
        ];
        // Its library for gRPC writes past its own log.
        return Process.Start(new ProcessStartInfo("sh", ["-ec", $"exec \"$@\" >{_root}/m{n}.out 2>&1", "sh", .. words])) ?? throw new InvalidOperationException("etcd did not start");
    }

    /// <summary>The member that leads: writes through another would be forwarded. It answers the status with its own id as the leader's.</summary>
    private async Task<int> LeaderAsync()
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            for (var n = 0; n < 3; n++)
            {
                using var channel = Channel(n);
                try
                {
                    var status = await channel.CallAsync(EtcdStatus.Method, ReadOnlyMemory<byte>.Empty, new() { Timeout = TimeSpan.FromSeconds(1) });
                    if (EtcdStatus.Leads(status.Span))
                        return n;
                }
                catch (RpcException)
                {
                    // it is still starting
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        throw new InvalidOperationException("etcd chose no leader in ten seconds");
    }

    private RpcChannel Channel(int n) => new(new()
    {
        Connect = RpcConnects.Tcp(new IPEndPoint(IPAddress.Loopback, Client(n))),
        Tls = Tls(),
    });

    private SslClientAuthenticationOptions Tls() => new()
    {
        ClientCertificates = [_certificates.Client],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => _certificates.Trusts(certificate as X509Certificate2),
    };

    private static int Client(int n) => FirstPort + (10 * n);

    private static int Peer(int n) => FirstPort + (10 * n) + 1;
}
