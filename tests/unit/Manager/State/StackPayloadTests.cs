using System.Text;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class StackPayloadTests
{
    private static readonly Dictionary<string, string> Label = new() { [StackSpec.NamespaceLabel] = "s" };
    private readonly Scene scene = new();

    [Fact]
    public void Services_use_what_their_own_stack_makes_in_the_same_entry()
    {
        var reply = Deploy(Stack("one")).Stack!;
        Assert.Equal(["secret s_key created", "config s_conf created", "service s_web created"], reply.Changes.Select(c => $"{c.Kind} {c.Name} {c.Action}"));
        var container = scene.State.Services.Values.Single().Spec.TaskTemplate.ContainerSpec!;
        Assert.Equal(scene.State.Secrets.Values.Single().Id, container.Secrets.Single().SecretId);
        Assert.Equal(scene.State.Configs.Values.Single().Id, container.Configs.Single().ConfigId);
        Assert.All(Deploy(Stack("one")).Stack!.Changes, c => Assert.Equal("unchanged", c.Action));
    }

    [Fact]
    public void Other_data_under_the_same_name_is_refused_with_what_to_do_and_nothing_is_changed()
    {
        Deploy(Stack("one"));
        var before = scene.State;
        var refusal = Deploy(Scene2(Stack("two"))).Refusal!;
        Assert.Contains("secrets.s_key: secret s_key exists with other data: only updates to Labels are allowed, so give the new one another name", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before.Services, scene.State.Services);

        static StackSpec Scene2(StackSpec spec) => spec with { Services = [Scene.WithImage(spec.Services[0], "web:2")] };
    }

    [Fact]
    public void Labels_may_change_and_a_secret_without_data_stays_what_it_is()
    {
        Deploy(Stack("one"));
        var relabelled = Stack("one") with { Secrets = [new() { Name = "s_key", Labels = new Dictionary<string, string>(Label) { ["x"] = "y" } }] };
        Assert.Equal("updated", Deploy(relabelled).Stack!.Changes.Single(c => c.Kind == "secret").Action);
        var secret = scene.State.Secrets.Values.Single();
        Assert.Equal(("y", "one"), (secret.Spec.Labels["x"], Encoding.UTF8.GetString(secret.Spec.Data!)));
    }

    [Fact]
    public void Prune_takes_what_no_service_uses_any_more()
    {
        Deploy(Stack("one"));
        scene.Create(PayloadTests.Using(Scene.Spec("stranger"), ("", "s_key", "k")));
        var renamed = Stack("two", "s_key_v2") with { Configs = [], Prune = true };
        renamed = renamed with { Services = [PayloadTests.Using(Scene.Spec("s_web"), ("", "s_key_v2", "key")) with { Labels = Label }] };
        Assert.Equal(
            ["secret s_key_v2 created", "service s_web updated", "config s_conf removed"], Deploy(renamed).Stack!.Changes.Select(c => $"{c.Kind} {c.Name} {c.Action}"));
        Assert.Equal(["s_key", "s_key_v2"], scene.State.Secrets.Values.Select(s => s.Spec.Name).Order());
    }

    [Fact]
    public void What_is_not_the_stacks_own_is_not_taken_over_and_what_is_not_there_is_told()
    {
        scene.Do(new CreateSecret("id", PayloadTests.Spec("s_key")) { At = scene.Now });
        Assert.Contains("secret s_key exists and is not part of stack s", Deploy(Stack("one")).Refusal!.Message, StringComparison.Ordinal);
        var missing = Stack("one", "s_other") with { Secrets = [new() { Name = "s_other", Labels = Label }] };
        Assert.Contains("secret s_other not found, and the stack gives no data", Deploy(missing).Refusal!.Message, StringComparison.Ordinal);
        var twice = Stack("one", "s_two");
        Assert.Contains("secret s_two is named twice", Deploy(twice with { Secrets = [.. twice.Secrets, .. twice.Secrets] }).Refusal!.Message, StringComparison.Ordinal);
    }

    private Outcome Deploy(StackSpec spec) => scene.Do(new DeployStack("s", spec, [], [.. spec.Services.Select(_ => new ServiceId(scene.Ids.Next()))])
    {
        At = scene.Now,
        SecretIds = [.. spec.Secrets.Select(_ => scene.Ids.Next())],
        ConfigIds = [.. spec.Configs.Select(_ => scene.Ids.Next())],
    }).Outcome;

    private static StackSpec Stack(string data, string name = "s_key")
    {
        var service = PayloadTests.Using(Scene.Spec("s_web"), ("", name, "key")) with { Labels = Label };
        return new()
        {
            Secrets = [new() { Name = name, Labels = Label, Data = Encoding.UTF8.GetBytes(data) }],
            Configs = [new() { Name = "s_conf", Labels = Label, Data = [1] }],
            Services =
            [
                service with
                {
                    TaskTemplate = service.TaskTemplate with
                    {
                        ContainerSpec = service.TaskTemplate.ContainerSpec! with { Configs = [new() { ConfigName = "s_conf", File = new() { Name = "/etc/conf" } }] },
                    },
                },
            ],
        };
    }
}
