using System.Text;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class PayloadTests
{
    private readonly Scene scene = new();

    [Fact]
    public void A_name_belongs_to_one_secret_and_to_one_config()
    {
        Secret("s");
        var refusal = scene.Do(new CreateSecret("other", Spec("s")) { At = scene.Now }).Outcome.Refusal!;
        Assert.Equal((RefusalKind.Conflict, "secret s already exists"), (refusal.Kind, refusal.Message));
        Assert.Null(scene.Do(new CreateConfig("c", new() { Name = "s", Data = [1] }) { At = scene.Now }).Outcome.Refusal);
    }

    [Fact]
    public void Only_labels_can_change()
    {
        var id = Secret("s");
        Assert.Null(Update(id, Spec("s") with { Data = null, Labels = new Dictionary<string, string> { ["a"] = "b" } }));
        var stored = scene.State.Secrets[id];
        Assert.Equal("b", stored.Spec.Labels["a"]);
        Assert.Equal("data of s"u8, stored.Spec.Data!);
        Assert.Null(Update(id, Spec("s")));
        Assert.Equal("only updates to Labels are allowed", Update(id, Spec("s") with { Data = [9] })!.Message);
        Assert.Equal("only updates to Labels are allowed", Update(id, Spec("t"))!.Message);
        Assert.Equal(RefusalKind.OutOfSequence, scene.Do(new UpdateSecret(id, 1, Spec("s")) { At = scene.Now }).Outcome.Refusal!.Kind);
    }

    [Fact]
    public void What_services_use_stays_until_the_last_of_them_goes()
    {
        var id = Secret("s");
        var web = scene.Create(Using(Scene.Spec("web"), ("", "s", "s")));
        var job = scene.Create(Using(Scene.Spec("job"), (id, "s", "other")));
        Assert.Equal("secret 's' is in use by the following services: web, job", Remove(id)!.Message);
        scene.Do(new RemoveService(web) { At = scene.Now });
        Assert.Equal("secret 's' is in use by the following service: job", Remove(id)!.Message);
        scene.Do(new RemoveService(job) { At = scene.Now });
        Assert.Null(Remove(id));
        Assert.Empty(scene.State.Secrets);
        Assert.Equal(RefusalKind.NotFound, Remove(id)!.Kind);
    }

    [Fact]
    public void A_reference_is_completed_and_one_that_is_wrong_is_refused()
    {
        var id = Secret("s");
        var service = scene.Create(Using(Scene.Spec("web"), ("", "s", "a")));
        var reference = scene.State.Services[service].Spec.TaskTemplate.ContainerSpec!.Secrets.Single();
        Assert.Equal((id, "s"), (reference.SecretId, reference.SecretName));
        Assert.Equal("secrets not found: x, y", scene.Refused(Using(Scene.Spec("b"), ("", "x", "x"), ("", "y", "y")))!.Message);
        Assert.Equal($"secret not found: t (the id {id} is secret s's)", scene.Refused(Using(Scene.Spec("c"), (id, "t", "x")))!.Message);
    }

    [Fact]
    public void Another_reference_rolls_and_the_same_by_name_does_not()
    {
        Secret("s");
        Secret("t");
        var service = scene.Create(Using(Scene.Spec("web"), ("", "s", "s")));
        scene.Settle();
        scene.Obey();
        scene.Update(service, s => Using(s, ("", "s", "s")));
        scene.Settle();
        Assert.Single(scene.Tasks);
        scene.Update(service, s => Using(s, ("", "t", "s")));
        scene.Settle();
        Assert.Equal(TaskState.Shutdown, scene.Tasks[0].DesiredState);
    }

    [Fact]
    public void Rolling_back_to_a_secret_that_is_gone_is_refused()
    {
        var id = Secret("s");
        var service = scene.Create(Using(Scene.Spec("web"), ("", "s", "s")));
        scene.Update(service, s => Using(s));
        Assert.Null(Remove(id));
        var current = scene.State.Services[service];
        Assert.Equal("secret not found: s", scene.Do(new UpdateService(service, current.Version.Index, current.Spec, Rollback: true) { At = scene.Now }).Outcome.Refusal!.Message);
    }

    [Fact]
    public async Task Secrets_and_configs_survive_a_snapshot()
    {
        var id = Secret("s");
        scene.Do(new CreateConfig("c", new() { Name = "c", Data = [1, 2] }) { At = scene.Now });
        using var stream = new MemoryStream([.. StateSnapshot.Lines(scene.State).SelectMany(l => l)]);
        var restored = await StateSnapshot.ReadAsync(stream, CancellationToken.None);
        Assert.Equal("data of s"u8, restored.Secrets[id].Spec.Data!);
        Assert.Equal([1, 2], restored.Configs["c"].Spec.Data!);
        Assert.Equal(StateSnapshot.Digest(scene.State), StateSnapshot.Digest(restored));
    }

    [Theory]
    [InlineData("", "name must be provided")]
    [InlineData("a b", "invalid name 'a b'")]
    [InlineData("-a", "invalid name '-a'")]
    [InlineData("a.", "invalid name 'a.'")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "invalid name")]
    public void A_wrong_name_is_told(string name, string told) =>
        Assert.StartsWith(told, Preflight.Check(scene.State, new CreateSecret("x", Spec(name)) { At = scene.Now })!.Problems[0].Message, StringComparison.Ordinal);

    [Fact]
    public void Data_has_its_bounds()
    {
        Assert.Null(Judge(new SecretSpec { Name = "s", Data = new byte[(500 * 1024) - 1] }));
        Assert.Contains("larger than 0 and less than 512000 bytes", Judge(new SecretSpec { Name = "s", Data = new byte[500 * 1024] }), StringComparison.Ordinal);
        Assert.Contains("larger than 0 and less than 512000 bytes", Judge(new SecretSpec { Name = "s", Data = [] }), StringComparison.Ordinal);
        Assert.Contains("larger than 0 and less than 1024000 bytes", Judge(new ConfigSpec { Name = "s", Data = new byte[1000 * 1024] }), StringComparison.Ordinal);
        Assert.Contains("template driver 'php' is unknown", Judge(new ConfigSpec { Name = "s", Data = [1], Templating = new() { Name = "php" } }), StringComparison.Ordinal);
        Assert.Contains("secret driver 'vault' is not supported", Judge(new SecretSpec { Name = "s", Driver = new() { Name = "vault" } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_of_a_services_references_is_told()
    {
        var spec = Using(Scene.Spec("web"), ("", "a", "x"), ("", "b", "x"), ("", "", "y"), ("", "c", ""), ("", "d", "../etc/passwd"));
        spec = spec with { TaskTemplate = spec.TaskTemplate with { ContainerSpec = spec.TaskTemplate.ContainerSpec! with { Configs = [new() { ConfigName = "e", File = new() { Name = "f", Uid = "me" } }] } } };
        var problems = Preflight.Check(scene.State, new CreateService(new("x"), spec) { At = scene.Now })!.Message;
        foreach (var part in new[]
        {
            "secret references 'a' and 'b' have a conflicting target: 'x'", "malformed secret reference", "malformed file secret reference, no target: c",
            "secret target '../etc/passwd' is not the path of a file", "config e: UID 'me' is not a number",
        })
            Assert.Contains(part, problems, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_of_a_secret_holds_its_bytes()
    {
        Secret("s");
        var secret = scene.State.Secrets.Values.Single();
        Assert.Equal($"secret s ({secret.Id})", secret.ToString());
        Assert.Equal("secret s", secret.Spec.ToString());
        Assert.DoesNotContain("Data", new CreateSecret("x", secret.Spec) { At = scene.Now }.ToString(), StringComparison.Ordinal);
    }

    internal static ServiceSpec Using(ServiceSpec spec, params (string Id, string Name, string Target)[] secrets) => spec with
    {
        TaskTemplate = spec.TaskTemplate with
        {
            ContainerSpec = spec.TaskTemplate.ContainerSpec! with
            {
                Secrets = [.. secrets.Select(s => new SecretReference { SecretId = s.Id, SecretName = s.Name, File = new() { Name = s.Target, Mode = 0x124 } })],
            },
        },
    };

    internal static SecretSpec Spec(string name) => new() { Name = name, Data = Encoding.UTF8.GetBytes("data of " + name) };

    private string Secret(string name)
    {
        var id = scene.Ids.Next();
        Assert.Null(scene.Do(new CreateSecret(id, Spec(name)) { At = scene.Now }).Outcome.Refusal);
        return id;
    }

    private Refusal? Update(string id, SecretSpec spec) => scene.Do(new UpdateSecret(id, scene.State.Secrets[id].Version.Index, spec) { At = scene.Now }).Outcome.Refusal;

    private Refusal? Remove(string id) => scene.Do(new RemoveSecret(id) { At = scene.Now }).Outcome.Refusal;

    private string? Judge(PayloadSpec spec) => Preflight.Check(
        scene.State, spec is SecretSpec secret ? new CreateSecret("x", secret) { At = scene.Now } : new CreateConfig("x", (ConfigSpec)spec) { At = scene.Now })?.Message;
}
