using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Certificates;

/// <summary>Ends a change of the root when every member has gone over, while this manager leads.</summary>
internal sealed class RotationLoop(Cluster cluster, RandomFill random, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    internal async Task RunAsync(CancellationToken stop)
    {
        var told = -1;
        while (true)
        {
            var state = cluster.Current;
            try
            {
                if (RotationPlan.Of(state) is { } plan)
                {
                    if (plan.Waiting.IsEmpty)
                    {
                        await FinishAsync(state.Security!, stop);
                        told = -1;
                    }
                    else if (plan.Waiting.Length != told)
                    {
                        told = plan.Waiting.Length;
                        log.RotationWaits(told, state.Nodes.Count, string.Join(", ", plan.Waiting.Take(10)));
                    }
                }
            }
            catch (ClusterUnavailableException)
            {
                await Task.Delay(Again, time, stop); // it leads no more, or is about to
            }

            await cluster.NewerThanAsync(state, StateParts.Members, stop);
        }
    }

    private async Task FinishAsync(ClusterSecurity security, CancellationToken stop)
    {
        var outcome = await cluster.ProposeAsLeaderAsync(RotationPlan.Finish(security, Secrets(), time.GetUtcNow()), stop);
        if (outcome.Refusal is null)
            log.Rotated();
    }

    private byte[] Secrets()
    {
        var bytes = new byte[34];
        random(bytes);
        return bytes;
    }
}
