using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class PayloadFlagTests
{
    [Theory]
    [InlineData("key", "key", "key", "0", "0", 0x124u)]
    [InlineData("source=key", "key", "key", "0", "0", 0x124u)]
    [InlineData("src=key,target=/etc/k,uid=33,gid=34,mode=0400", "key", "/etc/k", "33", "34", 0x100u)]
    [InlineData("source=key,mode=0o440", "key", "key", "0", "0", 0x120u)]
    [InlineData("source=key,mode=256", "key", "key", "0", "0", 0x100u)] // Go's rule: decimal without a zero
    public void A_flag_names_a_file(string text, string source, string target, string uid, string gid, uint mode) =>
        Assert.Equal((source, new ReferenceFile { Name = target, Uid = uid, Gid = gid, Mode = mode }), PayloadFlags.Parse(text, "--secret"));

    [Theory]
    [InlineData("", "it names nothing")]
    [InlineData("target=x", "source is required")]
    [InlineData("source=x,mode=0888", "'0888' is not a file mode")]
    [InlineData("source=x,uid=me", "'me' is not a number")]
    [InlineData("source=x,owner=me", "invalid field 'owner'")]
    [InlineData("source=x,ro", "invalid field 'ro' must be a key=value pair")]
    public void A_wrong_flag_says_why(string text, string why) =>
        Assert.StartsWith($"invalid argument '{text}' for --secret: {why}", Assert.Throws<CommandException>(() => PayloadFlags.Parse(text, "--secret")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Update_takes_off_before_it_adds()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /services/web", """
            {"ID":"s","Version":{"Index":3},"Spec":{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"i",
            "Secrets":[{"SecretID":"1","SecretName":"old","File":{"Name":"key"}},{"SecretID":"2","SecretName":"stays","File":{"Name":"s"}}]}},"Mode":{"Replicated":{"Replicas":1}}}}
            """).On("POST /services/s/update", "{}").On("GET /tasks", "[]").On("GET /services", "[]");
        await Run.OrchAsync(["-H", $"unix://{engine.Socket}", "service", "update", "-d", "--secret-rm", "old", "--secret-add", "source=new,target=key", "web"]);
        var sent = ModelJson.Read<ServiceSpec>(System.Text.Encoding.UTF8.GetBytes(engine.Calls.Single(c => c.Call.StartsWith("POST", StringComparison.Ordinal)).Body));
        Assert.Equal(["stays s", "new key"], sent.TaskTemplate.ContainerSpec!.Secrets.Select(s => $"{s.SecretName} {s.File!.Name}"));
    }

    [Theory]
    [InlineData("the secret needs its data: give a file, or '-' to read stdin", "secret", "create", "x")]
    [InlineData("open nowhere: no such file or directory", "config", "create", "x", "nowhere")]
    [InlineData("--driver does not work: orch keeps the data of a secret itself, so give a file or '-' for stdin", "secret", "create", "-d", "vault", "x")]
    public async Task Creating_says_what_is_missing(string error, params string[] args) => Assert.Equal((1, error + "\n"), ((await Run.OrchAsync(args)).Code, (await Run.OrchAsync(args)).Error));
}
