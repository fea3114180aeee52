using Orchestrator.Manager;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Somebody who reads, changes what was read under its version, and asks again under the same request id until the answer is known.</summary>
/// <param name="services">Also makes, scales, changes and removes services.</param>
internal sealed class Client(
    int place, bool services, Calls calls, Fabric fabric, IReadOnlyList<SimulatedManager> managers, Oracle oracle, Acknowledged acknowledged, Dice dice)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private int made;
    private int current;

    /// <summary>No new work; what is under way is brought to its end.</summary>
    internal bool Resting { get; set; }

    internal bool IsIdle { get; private set; } = true;

    internal async Task LiveAsync()
    {
        while (true)
        {
            await fabric.WaitAsync(TimeSpan.FromMilliseconds(5 + dice.Below(250)));
            if (Resting)
                continue;
            IsIdle = false;
            if (await ReadAsync() is { Swarm: not null } state && Choose(state) is { } command)
                await WriteAsync(command);
            IsIdle = true;
        }
    }

    /// <summary>Until the answer is known; a whole cluster answers some day.</summary>
    internal async Task<Outcome> WriteAsync(Command command)
    {
        var floor = acknowledged.Highest;
        while (true)
        {
            try
            {
                var outcome = await calls.CallAsync(place, Manager, (host, stop) => host.Cluster.ProposeAsync(command, stop), Patience, CancellationToken.None);
                oracle.Answered(command.RequestId!, outcome, floor);
                acknowledged.Saw(outcome.Index);
                return outcome;
            }
            catch (RpcException)
            {
                current++;
                await fabric.WaitAsync(TimeSpan.FromMilliseconds(10 + dice.Below(200)));
            }
        }
    }

    internal string NextRequest() => $"c{place}-{++made}";

    private SimulatedManager Manager => managers[current % managers.Count];

    private async Task<ClusterState?> ReadAsync()
    {
        var floor = acknowledged.Highest;
        try
        {
            var state = await calls.CallAsync(place, managers[dice.Below(managers.Count)], ReadAsync, Patience, CancellationToken.None);
            oracle.Read(state.Index, floor);
            acknowledged.Saw(state.Index);
            return state;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private static async Task<ClusterState> ReadAsync(ManagerHost host, CancellationToken stop)
    {
        await host.Raft.ReadIndexAsync(stop);
        return host.Cluster.Current;
    }

    private Command? Choose(ClusterState state)
    {
        var id = NextRequest();
        var at = fabric.Now;
        if (services && dice.Chance(30))
            return Chore(state, id, at);
        switch (dice.Below(10))
        {
            case 0:
                return new CreateSecret(id, new() { Name = "own-" + id, Data = [1] }) { At = at, RequestId = id };
            case 1 when state.Secrets.Values.FirstOrDefault(s => s.Spec.Name.StartsWith("own-", StringComparison.Ordinal)) is { } own:
                return new RemoveSecret(own.Id) { At = at, RequestId = id };
            case 2 or 3 when state.Nodes.Count > 0:
                var node = state.Nodes.Values.ElementAt(dice.Below(state.Nodes.Count));
                return new UpdateNode(node.Id, node.Version.Index, node.Spec with { Labels = Label(id) }) { At = at, RequestId = id };
            default:
                var secret = state.Secrets.Values.FirstOrDefault(s => s.Spec.Name == "register-" + dice.Below(3));
                return secret is null
                    ? null
                    : new UpdateSecret(secret.Id, secret.Version.Index, secret.Spec with { Labels = Label(id) }) { At = at, RequestId = id };
        }
    }

    private Command? Chore(ClusterState state, string id, DateTimeOffset at)
    {
        var all = state.Services.Values.Where(s => !s.PendingDelete).ToList();
        if (all.Count < 2 || (all.Count < 4 && dice.Chance(20)))
            return new CreateService(new("svc" + id), Operator.Service("svc-" + id, (ulong)dice.Below(5))) { At = at, RequestId = id };
        var service = all[dice.Below(all.Count)];
        return dice.Below(10) switch
        {
            0 => new RemoveService(service.Id) { At = at, RequestId = id },
            < 4 => Update(s => s with { Mode = new() { Replicated = new() { Replicas = (ulong)dice.Below(5) } } }),
            < 7 => Update(s => s with { TaskTemplate = s.TaskTemplate with { ContainerSpec = s.TaskTemplate.ContainerSpec! with { Image = "web:" + dice.Below(4) } } }),
            _ => Update(s => s with { Labels = Label(id) }),
        };

        UpdateService Update(Func<ServiceSpec, ServiceSpec> change) =>
            new(service.Id, service.Version.Index, change(service.Spec)) { At = at, RequestId = id };
    }

    private static Dictionary<string, string> Label(string by) => new(StringComparer.Ordinal) { ["by"] = by };
}

/// <summary>The highest index that any client was answered.</summary>
internal sealed class Acknowledged
{
    internal ulong Highest { get; private set; }

    internal void Saw(ulong index) => Highest = Math.Max(Highest, index);
}
