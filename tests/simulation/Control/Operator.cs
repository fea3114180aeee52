using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>What operators do all day, at random.</summary>
internal static class Operator
{
    internal static ServiceSpec Service(string name, ulong replicas = 1, string image = "web:1") => new()
    {
        Name = name,
        Mode = new() { Replicated = new() { Replicas = replicas } },
        TaskTemplate = new()
        {
            ContainerSpec = new() { Image = image },
            RestartPolicy = new() { Delay = TimeSpan.FromMilliseconds(500) },
        },
        UpdateConfig = new() { Parallelism = 1, FailureAction = "continue", Monitor = TimeSpan.FromMilliseconds(500) },
    };

    internal static void Create(SimulatedControlPlane plane, Dice dice)
    {
        if (plane.State.Services.Count > 4)
            return;
        var spec = Service("svc-" + plane.State.Index, (ulong)dice.Below(7));
        if (dice.Chance(30))
            spec = spec with { Mode = new() { Global = new() } };
        if (dice.Chance(50))
            spec = spec with { EndpointSpec = new() { Ports = [new() { TargetPort = 80, PublishedPort = dice.Chance(50) ? 0 : 8000 + dice.Below(3) }] } };
        if (dice.Chance(40))
            spec = spec with { UpdateConfig = spec.UpdateConfig! with { Parallelism = (ulong)dice.Below(4), Order = dice.Chance(50) ? "start-first" : "stop-first", Delay = TimeSpan.FromMilliseconds(dice.Below(2000)) } };
        if (dice.Chance(40))
        {
            var name = "net-" + dice.Below(3);
            plane.Send((at, ids) => new CreateNetwork(new(ids.Next()), new() { Name = name }) { At = at });
            spec = spec with { TaskTemplate = spec.TaskTemplate with { Networks = [new() { Target = name, Aliases = ["alias"] }] } };
        }

        if (dice.Chance(40) && Pick(plane, dice) is { } other)
        {
            var need = new ServiceDependency
            {
                Service = other.Spec.Name,
                Condition = dice.Chance(50) ? DependencyCondition.Healthy : DependencyCondition.Started,
                Restart = dice.Chance(30),
                Optional = dice.Chance(30),
            };
            spec = spec with { Orch = new() { DependsOn = [need] } };
        }

        if (dice.Chance(50))
        {
            var name = "secret-" + dice.Below(4);
            plane.Send((at, ids) => new CreateSecret(ids.Next(), new() { Name = name, Data = [1, 2, 3] }) { At = at }); // refused when it is there
            spec = spec with { TaskTemplate = spec.TaskTemplate with { ContainerSpec = spec.TaskTemplate.ContainerSpec! with { Secrets = [new() { SecretName = name, File = new() { Name = name } }] } } };
        }

        // A port in use is refused, as it should be.
        plane.Send((at, ids) => new CreateService(new(ids.Next()), spec) { At = at });
    }

    internal static void Scale(SimulatedControlPlane plane, Dice dice)
    {
        if (Pick(plane, dice) is { Spec.Mode.Replicated: not null } service)
            plane.Update(service.Id, s => s with { Mode = new() { Replicated = new() { Replicas = (ulong)dice.Below(8) } } });
    }

    internal static void ChangeImage(SimulatedControlPlane plane, Dice dice)
    {
        if (Pick(plane, dice) is { } service)
        {
            plane.Update(service.Id, s => s with
            {
                TaskTemplate = s.TaskTemplate with { ContainerSpec = s.TaskTemplate.ContainerSpec! with { Image = "web:" + dice.Below(4) } },
            });
        }
    }

    internal static void Remove(SimulatedControlPlane plane, Dice dice)
    {
        if (Pick(plane, dice) is { } service)
            plane.Send((at, _) => new RemoveService(service.Id) { At = at });
        if (plane.State.Secrets.Count > 0)
            plane.Send((at, _) => new RemoveSecret(plane.State.Secrets.Keys.ElementAt(dice.Below(plane.State.Secrets.Count))) { At = at }); // refused while in use
        var networks = plane.State.Networks.Values.Where(n => !n.Ingress).ToList();
        if (networks.Count > 0)
            plane.Send((at, _) => new RemoveNetwork(networks[dice.Below(networks.Count)].Id) { At = at }); // refused while in use
    }

    internal static void SetAvailability(SimulatedControlPlane plane, Dice dice)
    {
        var node = plane.State.Nodes.Values.ElementAt(dice.Below(plane.State.Nodes.Count));
        var availability = (NodeAvailability)dice.Below(3);
        plane.Send((at, _) => new UpdateNode(node.Id, node.Version.Index, node.Spec with { Availability = availability }) { At = at });
    }

    private static Service? Pick(SimulatedControlPlane plane, Dice dice)
    {
        var services = plane.State.Services.Values.Where(s => !s.PendingDelete).ToList();
        return services.Count == 0 ? null : services[dice.Below(services.Count)];
    }
}
