using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft.Transport;
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
                "/orch.raft.v1.Raft/Messages Manager",
            ],
            table);
    }
}
