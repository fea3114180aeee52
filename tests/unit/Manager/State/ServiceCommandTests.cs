using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class ServiceCommandTests
{
    private readonly Scene scene = new();

    [Fact]
    public void A_name_in_use_is_refused_by_name()
    {
        scene.Create(Scene.Spec("web"));
        var refusal = scene.Refused(Scene.Spec("web"));
        Assert.Equal(RefusalKind.Conflict, refusal!.Kind);
        Assert.Equal("name conflicts with an existing object: service web already exists", refusal.Message);
        Assert.Single(scene.State.Services);
    }

    [Fact]
    public void An_update_with_an_old_version_is_out_of_sequence()
    {
        var id = scene.Create(Scene.Spec("web"));
        var version = scene.State.Services[id].Version.Index;
        Assert.Null(scene.Update(id, s => Scene.WithImage(s, "web:2")).Refusal);
        var outcome = scene.Do(new UpdateService(id, version, Scene.Spec("web")) { At = scene.Now }).Outcome;
        Assert.Equal(RefusalKind.OutOfSequence, outcome.Refusal!.Kind);
        Assert.Equal($"update out of sequence: service web is at version {scene.State.Services[id].Version.Index}, not {version}", outcome.Refusal.Message);
    }

    [Fact]
    public void A_user_namespace_stays_when_an_update_does_not_speak_of_it()
    {
        static ServiceSpec With(ServiceSpec spec, Privileges? privileges) =>
            spec with { TaskTemplate = spec.TaskTemplate with { ContainerSpec = spec.TaskTemplate.ContainerSpec! with { Privileges = privileges } } };

        var id = scene.Create(With(Scene.Spec("web"), new Privileges { UserNamespace = "host" }));
        Assert.Null(scene.Update(id, s => With(Scene.WithImage(s, "web:2"), new Privileges { NoNewPrivileges = true })).Refusal);
        var kept = scene.State.Services[id].Spec.TaskTemplate.ContainerSpec!.Privileges!;
        Assert.Equal(("host", true), (kept.UserNamespace, kept.NoNewPrivileges));
        Assert.Null(scene.Update(id, s => With(s, new Privileges { UserNamespace = "default" })).Refusal);
        Assert.Equal("default", scene.State.Services[id].Spec.TaskTemplate.ContainerSpec!.Privileges!.UserNamespace);
    }

    [Fact]
    public void The_object_version_is_the_index_of_its_entry()
    {
        var id = scene.Create(Scene.Spec("web"));
        Assert.Equal(scene.State.Index, scene.State.Services[id].Version.Index);
    }

    [Fact]
    public void A_retried_command_creates_nothing_twice()
    {
        var command = new CreateService(new("a"), Scene.Spec("web")) { At = scene.Now, RequestId = "r" };
        var first = scene.Do(command).Outcome;
        var again = scene.Do(command with { Id = new("b") });
        Assert.Equal(first, again.Outcome);
        Assert.Empty(again.Changes);
        Assert.Single(scene.State.Services);
    }

    [Fact]
    public void Request_ids_are_forgotten_when_there_are_too_many()
    {
        for (var i = 0; i < RequestMemory.Capacity + 10; i++)
            scene.Do(new RemoveService(new("nobody")) { At = scene.Now, RequestId = $"r{i}" });
        Assert.Equal(RequestMemory.Capacity, scene.State.Requests.Outcomes.Count);
        Assert.False(scene.State.Requests.Outcomes.ContainsKey("r9"));
        Assert.True(scene.State.Requests.Outcomes.ContainsKey("r10"));
    }

    [Fact]
    public void A_network_is_found_by_name_or_id_and_stored_by_id()
    {
        var network = scene.Network("front");
        var byName = scene.Create(Scene.On(Scene.Spec("a"), "front"));
        var byId = scene.Create(Scene.On(Scene.Spec("b"), network.Value));
        Assert.Equal(network.Value, scene.State.Services[byName].Spec.TaskTemplate.Networks[0].Target);
        Assert.Equal(network.Value, scene.State.Services[byId].Spec.TaskTemplate.Networks[0].Target);
        Assert.Equal("network back not found", scene.Refused(Scene.On(Scene.Spec("c"), "back"))!.Message);
    }

    [Theory]
    [InlineData("ingress", "ingress", "port '8080' is already in use by service 'web' (ID) as an ingress port")]
    [InlineData("ingress", "host", "port '8080' is already in use by service 'web' (ID) as an ingress port")]
    [InlineData("host", "ingress", "port '8080' is already in use by service 'web' (ID) as a host-published port")]
    [InlineData("host", "host", null)]
    public void Published_ports_conflict_unless_both_are_host_ports(string first, string second, string? message)
    {
        PortConfig Port(string mode) => new() { TargetPort = 80, PublishedPort = 8080, PublishMode = mode };
        var id = scene.Create(Scene.Publishing(Scene.Spec("web"), Port(first)));
        var refusal = scene.Refused(Scene.Publishing(Scene.Spec("other"), Port(second)));
        Assert.Equal(message?.Replace("ID", id.Value), refusal?.Message);
    }

    [Fact]
    public void The_same_port_of_another_protocol_is_free()
    {
        scene.Create(Scene.Publishing(Scene.Spec("web"), new PortConfig { TargetPort = 53, PublishedPort = 53 }));
        Assert.Null(scene.Refused(Scene.Publishing(Scene.Spec("dns"), new PortConfig { TargetPort = 53, PublishedPort = 53, Protocol = "udp" })));
    }

    [Fact]
    public void A_removed_service_frees_name_and_port_at_once()
    {
        var spec = Scene.Publishing(Scene.Spec("web"), new PortConfig { TargetPort = 80, PublishedPort = 8080 });
        var id = scene.Create(spec);
        scene.Settle();
        scene.Do(new RemoveService(id) { At = scene.Now });
        Assert.Null(scene.Refused(spec));
    }

    [Fact]
    public void Going_back_to_an_old_spec_shares_its_instance_again()
    {
        var id = scene.Create(Scene.Spec("web"));
        var first = scene.State.Services[id].Spec.TaskTemplate;
        scene.Update(id, s => Scene.WithImage(s, "web:2"));
        scene.Update(id, s => Scene.WithImage(s, "web:1"));
        Assert.Same(first, scene.State.Services[id].Spec.TaskTemplate);
    }

    [Fact]
    public void Rollback_exchanges_spec_and_previous_spec()
    {
        var id = scene.Create(Scene.Spec("web"));
        scene.Update(id, s => Scene.WithImage(s, "web:2"));
        var version = scene.State.Services[id].Version.Index;
        Assert.Null(scene.Do(new UpdateService(id, version, new(), Rollback: true) { At = scene.Now }).Outcome.Refusal);
        Assert.Equal("web:1", scene.State.Services[id].Spec.TaskTemplate.ContainerSpec!.Image);
        Assert.Equal("web:2", scene.State.Services[id].PreviousSpec!.TaskTemplate.ContainerSpec!.Image);
    }

    [Fact]
    public void A_service_without_a_previous_spec_cannot_roll_back()
    {
        var id = scene.Create(Scene.Spec("web"));
        var outcome = scene.Do(new UpdateService(id, scene.State.Services[id].Version.Index, new(), Rollback: true) { At = scene.Now }).Outcome;
        Assert.Equal("service web does not have a previous spec", outcome.Refusal!.Message);
    }

    [Fact]
    public void Mode_and_name_cannot_change()
    {
        var id = scene.Create(Scene.Spec("web"));
        Assert.Equal("service mode change is not allowed", scene.Update(id, s => s with { Mode = new() { Global = new() } }).Refusal!.Message);
        Assert.Contains("renaming services is not supported", scene.Update(id, s => s with { Name = "other" }).Refusal!.Message);
    }

    [Fact]
    public void Nothing_works_before_the_cluster_is_made()
    {
        var applied = Orchestrator.Manager.State.Apply.Applying.Run(ClusterState.Empty, 1, new CreateService(new("a"), Scene.Spec("web")) { At = scene.Now });
        Assert.Contains("swarm init", applied.Outcome.Refusal!.Message);
    }
}
