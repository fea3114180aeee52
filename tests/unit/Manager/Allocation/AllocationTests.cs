using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Allocation;

public sealed class AllocationTests
{
    private readonly Scene scene = new();

    [Fact]
    public void Ingress_gets_the_first_subnet_and_every_other_network_the_next_free_one()
    {
        var given = scene.Network("given", "10.0.1.0/24");
        var first = scene.Network("first");
        scene.Settle();
        Assert.Equal("10.0.0.0/24", scene.State.Networks.Values.Single(n => n.Ingress).Ipam.Config[0].Subnet);
        Assert.Equal(("10.0.1.0/24", "10.0.1.1"), Config(given));
        Assert.Equal(("10.0.2.0/24", "10.0.2.1"), Config(first));
    }

    [Fact]
    public void Pools_and_subnet_size_are_honoured_and_end()
    {
        var small = new Scene();
        var swarm = small.State.Swarm!;
        var state = small.State with { Swarm = swarm with { DefaultAddrPool = ["192.168.0.0/23"], SubnetSize = 24 } };
        var decision = Orchestrator.Manager.Allocation.NetworkPlan.Plan(state, small.Now);
        Assert.Equal("192.168.0.0/24", ((AllocateNetwork)decision.Commands.Single()).Config[0].Subnet);
    }

    [Fact]
    public void An_overlapping_subnet_is_refused_by_name()
    {
        scene.Network("a", "10.5.0.0/16");
        var refusal = scene.Do(new CreateNetwork(new("b"), new() { Name = "b", Ipam = new() { Config = [new() { Subnet = "10.5.7.0/24" }] } }) { At = scene.Now }).Outcome.Refusal;
        Assert.Equal("subnet 10.5.7.0/24 overlaps with network a", refusal!.Message);
    }

    [Fact]
    public void Tasks_get_addresses_from_two_on_and_without_a_network_those_of_ingress()
    {
        scene.Network("front");
        scene.Create(Scene.On(Scene.Spec("a", 2), "front"));
        scene.Create(Scene.Spec("b"));
        scene.Settle();
        Assert.Equal(["10.0.1.2/24", "10.0.1.3/24"], scene.Tasks.Where(t => t.ServiceName == "a").Select(t => t.NetworksAttachments.Single().Addresses.Single()).Order());
        Assert.Equal("10.0.0.2/24", scene.Tasks.Single(t => t.ServiceName == "b").NetworksAttachments.Single().Addresses.Single());
    }

    [Fact]
    public void A_task_on_its_host_s_network_has_no_address_and_waits_for_none()
    {
        scene.Create(Scene.On(Scene.Spec("agent"), "host"));
        scene.Settle();
        var attachment = Assert.Single(scene.Tasks[0].NetworksAttachments);
        Assert.Equal(("host", 0), (attachment.Network!.Name, attachment.Addresses.Count));
        Assert.Equal(TaskState.Assigned, scene.Tasks[0].Status.State);
    }

    [Fact]
    public void The_host_s_network_stands_alone_and_publishes_nothing()
    {
        scene.Network("front");
        Assert.Equal(
            "a service on the network host cannot be on others, too", scene.Refused(Scene.On(Scene.Spec("a"), "host", "front"))!.Message);
        Assert.Equal(
            "a service on the network host publishes no ports: its program listens on each host itself",
            scene.Refused(Scene.Publishing(Scene.On(Scene.Spec("a"), "host"), new PortConfig { TargetPort = 80, PublishedPort = 80 }))!.Message);
        Assert.Equal("network hosts not found", scene.Refused(Scene.On(Scene.Spec("a"), "hosts"))!.Message);
    }

    [Fact]
    public void An_address_is_free_again_only_when_its_container_is_gone()
    {
        scene.Network("tiny", "10.9.0.0/29"); // .2 to .6 can be given
        var id = scene.Create(Scene.On(Scene.Spec("web", 5), "tiny"));
        scene.Settle();
        scene.Obey();
        scene.Update(id, s => s with { Mode = new() { Replicated = new() { Replicas = 4 } } });
        scene.Settle();
        var other = scene.Create(Scene.On(Scene.Spec("other"), "tiny"));
        scene.Settle();
        Assert.Equal("network tiny has no free address", Task(other).Status.Err);
        Assert.Equal(TaskState.New, Task(other).Status.State);
        scene.Obey();
        scene.Settle();
        Assert.Equal(TaskState.Assigned, Task(other).Status.State);
    }

    [Fact]
    public void A_removed_network_keeps_its_subnet_until_no_task_stands_on_it()
    {
        var network = scene.Network("front");
        var id = scene.Create(Scene.On(Scene.Spec("web"), "front"));
        scene.Settle();
        scene.Obey();
        Assert.Equal("network front is in use by service web", Remove(network)!.Message);
        scene.Do(new RemoveService(id) { At = scene.Now });
        Assert.Null(Remove(network));
        var next = scene.Network("front");
        scene.Settle();
        Assert.NotEqual("10.0.1.0/24", Config(next).Subnet);
        scene.Obey();
        scene.Settle();
        Assert.Empty(scene.State.LeavingNetworks);
    }

    [Fact]
    public void A_port_is_chosen_once_and_stays()
    {
        var id = scene.Create(Scene.Publishing(Scene.Spec("web"), new PortConfig { TargetPort = 80 }, new PortConfig { TargetPort = 81 }));
        scene.Settle();
        Assert.Equal([30000, 30001], scene.State.Services[id].Endpoint.Ports.Select(p => p.PublishedPort));
        scene.Update(id, s => s with { EndpointSpec = s.EndpointSpec! with { Ports = [new() { TargetPort = 81 }] } });
        scene.Settle();
        Assert.Equal([30001], scene.State.Services[id].Endpoint.Ports.Select(p => p.PublishedPort));
    }

    [Fact]
    public void No_address_is_given_twice() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(0, 6).ListOf(20).ToArbitrary(),
        scales =>
        {
            var story = new Scene(2);
            story.Network("front", "10.9.0.0/28");
            var id = story.Create(Scene.On(Scene.Spec("web", 3), "front"));
            foreach (var scale in scales)
            {
                story.Update(id, s => s with { Mode = new() { Replicated = new() { Replicas = (ulong)scale } } });
                story.Settle();
                if (scale % 2 == 0)
                    story.Obey();
                story.Settle();
                var held = story.Tasks.Where(t => !Orchestrator.Manager.State.Apply.TaskSteps.IsGone(t)).SelectMany(t => t.NetworksAttachments).Select(a => a.Addresses[0]).ToList();
                if (held.Distinct().Count() != held.Count || held.Contains("10.9.0.1/28") || held.Contains("10.9.0.15/28"))
                    return false;
            }

            return true;
        }));

    private ServiceTask Task(ServiceId service) => scene.Tasks.Single(t => t.ServiceId == service);

    private Refusal? Remove(NetworkId id) => scene.Do(new RemoveNetwork(id) { At = scene.Now }).Outcome.Refusal;

    private (string? Subnet, string? Gateway) Config(NetworkId id) => (scene.State.Networks[id].Ipam.Config[0].Subnet, scene.State.Networks[id].Ipam.Config[0].Gateway);
}
