using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class StackTests
{
    private static readonly Dictionary<string, string> Label = new() { [StackSpec.NamespaceLabel] = "s" };
    private readonly Scene scene = new();

    [Fact]
    public void Networks_and_services_come_in_one_entry()
    {
        var outcome = Deploy(Stack("s_web", "s_db"));
        Assert.Equal(["created", "created", "created"], outcome.Stack!.Changes.Select(c => c.Action));
        var versions = scene.State.Services.Values.Select(s => s.Version.Index).Concat(scene.State.Networks.Values.Where(n => !n.Ingress).Select(n => n.Version!.Index));
        Assert.All(versions, v => Assert.Equal(outcome.Index, v));
    }

    [Fact]
    public void Deploying_the_same_again_touches_nothing()
    {
        Deploy(Stack("s_web"));
        scene.Settle();
        var before = scene.State.Services.Values.Single();
        Assert.Equal(["unchanged", "unchanged"], Deploy(Stack("s_web")).Stack!.Changes.Select(c => c.Action));
        Assert.Same(before, scene.State.Services.Values.Single());
    }

    [Fact]
    public void One_bad_service_keeps_the_whole_stack_out_and_every_problem_is_told()
    {
        scene.Create(Scene.Publishing(Scene.Spec("other"), new PortConfig { TargetPort = 80, PublishedPort = 8080 }));
        var before = scene.State.Services;
        var stack = Stack("s_web", "s_db");
        stack = stack with
        {
            Services =
            [
                Scene.Publishing(stack.Services[0], new PortConfig { TargetPort = 80, PublishedPort = 8080 }),
                Scene.On(stack.Services[1], "nowhere"),
            ],
        };
        var outcome = Deploy(stack);
        Assert.Null(outcome.Stack);
        Assert.Equal(["services.s_db", "services.s_web"], outcome.Refusal!.Problems.Select(p => p.Where).Order());
        Assert.Same(before, scene.State.Services);
        Assert.Single(scene.State.Networks);
    }

    [Fact]
    public void Two_services_can_exchange_their_ports()
    {
        var (a, b) = (new PortConfig { TargetPort = 80, PublishedPort = 8001 }, new PortConfig { TargetPort = 80, PublishedPort = 8002 });
        var stack = Stack("s_web", "s_db");
        StackSpec With(PortConfig first, PortConfig second) =>
            stack with { Services = [Scene.Publishing(stack.Services[0], first), Scene.Publishing(stack.Services[1], second)] };
        Assert.Null(Deploy(With(a, b)).Refusal);
        scene.Settle();
        Assert.Null(Deploy(With(b, a)).Refusal);
        scene.Settle();
        Assert.Equal(8002, scene.State.Services.Values.Single(s => s.Spec.Name == "s_web").Endpoint.Ports[0].PublishedPort);
    }

    [Fact]
    public void Prune_removes_what_the_file_no_longer_has()
    {
        Deploy(Stack("s_web", "s_db"));
        var changes = Deploy(Stack("s_web") with { Prune = true }).Stack!.Changes;
        Assert.Contains(new StackChange("service", "s_db", changes.Single(c => c.Name == "s_db").Id, "removed"), changes);
        Assert.True(scene.State.Services.Values.Single(s => s.Spec.Name == "s_db").PendingDelete);
    }

    [Fact]
    public void An_object_of_somebody_else_is_not_taken_over()
    {
        scene.Create(Scene.Spec("s_web"));
        Assert.Contains("service s_web exists and is not part of stack s", Deploy(Stack("s_web")).Refusal!.Message);
    }

    private Outcome Deploy(StackSpec spec) => scene.Do(new DeployStack(
        "s", spec, [.. spec.Networks.Select(_ => new NetworkId(scene.Ids.Next()))], [.. spec.Services.Select(_ => new ServiceId(scene.Ids.Next()))])
    { At = scene.Now }).Outcome;

    private static StackSpec Stack(params string[] services) => new()
    {
        Networks = [new() { Name = "s_default", Driver = "overlay", Labels = Label }],
        Services = [.. services.Select(name => Scene.On(Scene.Spec(name), "s_default") with { Labels = Label })],
    };
}
