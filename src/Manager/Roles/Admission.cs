using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Roles;

/// <summary>A manager that does not vote yet asks the leader to take it in, until it does. Begun anew at each start, so a crash loses nothing.</summary>
internal sealed class Admission(NodeId self, string address, IManagers managers, ControlCaller leader, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    internal async Task RunAsync(CancellationToken stop)
    {
        while (managers.View.Of(self) is not { Votes: true })
        {
            try
            {
                await leader.CallAsync((control, token) => control.AdmitAsync(new() { NodeId = self, Address = address }, token), TimeSpan.FromSeconds(10), stop);
                log.IsAdmitted();
                return;
            }
            catch (RpcException refused)
            {
                log.NotAdmitted(refused.Detail);
            }

            await Task.Delay(Pause, time, stop);
        }
    }
}
