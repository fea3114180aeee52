using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class PayloadApiTests
{
    private readonly FakeNode node = new()
    {
        Current = Cluster.State() with
        {
            Secrets = ClusterState.Empty.Secrets.Add("aaa1", Secret("aaa1", "db")).Add("aab2", Secret("aab2", "db_old")),
            Configs = ClusterState.Empty.Configs.Add("ccc3", new() { Id = "ccc3", Spec = new() { Name = "db", Data = "open"u8.ToArray() } }),
        },
    };

    [Theory]
    [InlineData("/secrets")]
    [InlineData("/secrets/db")]
    [InlineData("/secrets/aab")]
    [InlineData("/orch/stacks/shop")]
    public async Task No_answer_holds_a_secrets_bytes(string path)
    {
        var call = await node.SendAsync("GET", path);
        Assert.Equal(200, call.Status);
        Assert.Contains("db_old", path.Contains("secrets/db", StringComparison.Ordinal) ? "db_old" : call.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("aHVudGVyMg", call.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Data", call.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configs_bytes_are_shown() =>
        Assert.Equal("b3Blbg==", (await node.SendAsync("GET", "/configs/db")).Json.GetProperty("Spec").GetProperty("Data").GetString());

    [Theory]
    [InlineData("", "aaa1 aab2")]
    [InlineData("""{"name":["db"]}""", "aaa1 aab2")]
    [InlineData("""{"names":["db"]}""", "aaa1")]
    [InlineData("""{"id":["aab"]}""", "aab2")]
    [InlineData("""{"label":["com.docker.stack.namespace=shop"]}""", "aaa1 aab2")]
    [InlineData("""{"label":["none"]}""", "")]
    public async Task Lists_are_filtered(string filters, string ids)
    {
        var call = await node.SendAsync("GET", "/secrets?filters=" + Uri.EscapeDataString(filters));
        Assert.Equal(ids, string.Join(' ', call.Json.EnumerateArray().Select(s => s.GetProperty("ID").GetString())));
    }

    [Fact]
    public async Task Creating_updating_and_removing_propose()
    {
        var made = await node.SendAsync("POST", "/secrets/create", """{"Name":"new","Data":"aHVudGVyMg==","Labels":{"a":"b"}}""");
        Assert.Equal(201, made.Status);
        var create = Assert.IsType<CreateSecret>(node.Proposed[0]);
        Assert.Equal((made.Json.GetProperty("ID").GetString(), "new"), (create.Id, create.Spec.Name));
        Assert.Equal("hunter2"u8, create.Spec.Data!);
        Assert.Equal(200, (await node.SendAsync("POST", "/secrets/db/update?version=4", """{"Name":"db"}""")).Status);
        Assert.Equal(("aaa1", 4ul), (((UpdateSecret)node.Proposed[1]).Id, ((UpdateSecret)node.Proposed[1]).Version));
        Assert.Equal(204, (await node.SendAsync("DELETE", "/configs/ccc3")).Status);
        Assert.Equal("ccc3", ((RemoveConfig)node.Proposed[2]).Id);
        var unknown = await node.SendAsync("GET", "/configs/x");
        Assert.Equal((404, "config x not found"), (unknown.Status, unknown.Json.GetProperty("message").GetString()));
    }

    [Fact]
    public void Events_name_the_secret_and_nothing_more()
    {
        var message = ClusterEvents.Of(new StateChange(ClusterState.Empty, ChangeKind.Created, null, Secret("x", "s")))!;
        Assert.Equal(("secret", "create", "x"), (message.Type, message.Action, message.Actor.Id));
        Assert.Equal(["name"], message.Actor.Attributes.Keys);
    }

    private static Secret Secret(string id, string name) => new()
    {
        Id = id,
        Spec = new() { Name = name, Data = "hunter2"u8.ToArray(), Labels = new Dictionary<string, string> { [StackSpec.NamespaceLabel] = "shop" } },
    };
}
