using Orchestrator.Manager.Dispatch;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Unit.Manager.State;

namespace Orchestrator.Tests.Unit.Manager.Dispatch;

public sealed class PayloadPlanTests
{
    private readonly Scene scene = new();
    private Told told = Told.Nothing;

    [Fact]
    public void A_node_gets_the_secrets_of_its_own_tasks_once_and_forgets_them_with_the_last()
    {
        Secret("s");
        Secret("unused");
        Assert.Empty(Next()!.Secrets);
        var service = scene.Create(PayloadTests.Using(Scene.Spec("web", 2), ("", "s", "s")));
        scene.Settle();
        var sent = Assert.Single(Next()!.Secrets);
        Assert.Equal(("s", false), (sent.Name, sent.Template));
        Assert.Equal("data of s"u8, sent.Data);
        Assert.Empty(AssignmentPlan.Plan(scene.State, new("node-2"), "s", Told.Nothing).Message!.Secrets);
        scene.Obey();
        Assert.Null(Next());
        scene.Do(new RemoveService(service) { At = scene.Now });
        scene.Settle();
        Assert.Empty(Next()!.RemovedPayloads); // they still run
        scene.Obey();
        Assert.Equal([sent.Id], Next()!.RemovedPayloads);
    }

    [Fact]
    public void A_new_session_hears_them_again()
    {
        Secret("s");
        scene.Create(PayloadTests.Using(Scene.Spec("web"), ("", "s", "s")));
        scene.Settle();
        Assert.Single(Next()!.Secrets);
        told = Told.Nothing;
        var message = Next()!;
        Assert.True(message.Complete);
        Assert.Single(message.Secrets);
    }

    [Fact]
    public void More_than_one_message_should_hold_comes_in_parts_before_the_tasks()
    {
        var names = Enumerable.Range(0, 40).Select(i => $"s{i}").ToArray();
        foreach (var name in names)
            scene.Do(new CreateSecret(scene.Ids.Next(), new() { Name = name, Data = new byte[511_999] }) { At = scene.Now });
        scene.Create(PayloadTests.Using(Scene.Spec("web"), [.. names.Select(n => ("", n, n))]));
        scene.Settle();
        var messages = new List<Assignments>();
        while (Next() is { } message)
            messages.Add(message);
        Assert.Equal([true, false], messages.Select(m => m.Partial));
        Assert.Equal([false, true], messages.Select(m => m.Complete));
        Assert.Equal([1ul, 2ul], messages.Select(m => m.Sequence));
        Assert.Empty(messages[0].Tasks);
        Assert.Single(messages[1].Tasks);
        Assert.Equal(40, messages.SelectMany(m => m.Secrets).Select(s => s.Id).Distinct().Count());
        Assert.All(messages, m => Assert.InRange(m.Secrets.Sum(s => s.Data.Length), 0, PayloadPlan.MostBytes));
    }

    private void Secret(string name) => scene.Do(new CreateSecret(scene.Ids.Next(), PayloadTests.Spec(name)) { At = scene.Now });

    private Assignments? Next()
    {
        (var message, told) = AssignmentPlan.Plan(scene.State, new("node-1"), "s", told);
        return message;
    }
}
