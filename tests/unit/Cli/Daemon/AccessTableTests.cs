using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Unit.Cli.Daemon;

/// <summary>Who may call what between nodes: a method that is added or opened wider shows here.</summary>
public sealed class AccessTableTests
{
    [Fact]
    public void Every_method_of_the_cluster_port_says_who_may_call_it()
    {
        var server = new RpcServer(TimeProvider.System, NullLogger.Instance);
        DispatcherRpc.Map(server, () => null);
        CertificatesRpc.Map(server, () => null);
        ControlRpc.Map(server, _ => null);
        RpcPeerNetwork.Map(server, () => null);
        TaskLogsRpc.Map(server, new NoLogs(), _ => null);

        var table = server.Methods.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key} {m.Value}");

        Assert.Equal(
            [
                "/orch.Certificates/Confirm Member",
                "/orch.Certificates/Issue Anyone",
                "/orch.Certificates/Renew Member",
                "/orch.Certificates/Root Anyone",
                "/orch.Control/Admit Manager",
                "/orch.Control/Leave Member",
                "/orch.Control/Propose Manager",
                "/orch.Dispatcher/Heartbeat Member",
                "/orch.Dispatcher/Report Member",
                "/orch.Dispatcher/Session Member",
                "/orch.TaskLogs/Read Manager",
                "/orch.raft.v1.Raft/Messages Manager",
            ],
            table);
    }

    [Fact]
    public void Every_route_that_a_node_answers_managers_on_its_cluster_port_is_named()
    {
        var table = ReachRoutes.Containers.Concat(ReachRoutes.Execs).Select(r => $"{r.Method} {r.Template}{(r.Hijacks ? " taken over" : "")}").Order(StringComparer.Ordinal);

        Assert.Equal(
            [
                "GET /containers/{id}/archive",
                "GET /containers/{id}/changes",
                "GET /containers/{id}/export",
                "GET /containers/{id}/json",
                "GET /containers/{id}/logs",
                "GET /containers/{id}/stats",
                "GET /containers/{id}/top",
                "GET /exec/{id}/json",
                "HEAD /containers/{id}/archive",
                "POST /containers/{id}/attach taken over",
                "POST /containers/{id}/exec",
                "POST /containers/{id}/kill",
                "POST /containers/{id}/resize",
                "POST /containers/{id}/wait",
                "POST /exec/{id}/resize",
                "POST /exec/{id}/start taken over",
                "PUT /containers/{id}/archive",
            ],
            table);
    }

    private sealed class NoLogs : ITaskLogs
    {
        public IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, CancellationToken stop) => AsyncEnumerable.Empty<LogRecord>();
    }
}
