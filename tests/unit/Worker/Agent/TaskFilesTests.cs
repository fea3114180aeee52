using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Unit.Worker.Agent;

public sealed class TaskFilesTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{ .Service.Name }}/{{.Task.Slot}} on {{ .Node.Hostname }}", "web/3 on box")]
    [InlineData("a {{- /* no word */ -}} b", "ab")]
    [InlineData("x  {{- \"-}}-\" }} y", "x-}}- y")]
    [InlineData("{{ env \"WHERE\" }}|{{ env \"NOWHERE\" }}", "at web|")]
    [InlineData("{{ secret \"target\" }}{{ secret \"token\" }}{{ config `conf` }}", "hunter2hunter2raw {{ .Task.ID }}")]
    [InlineData("{{ index .Service.Labels \"tier\" }}{{ index .Service.Labels \"none\" }}", "front")]
    public void A_template_is_filled_in(string text, string expected) => Assert.Equal(expected, Expand(text));

    [Theory]
    [InlineData("\n{{ password 1 }}", "expanding config failed: c: line 2: function \"password\" not defined")]
    [InlineData("{{ .Service.Password }}", "expanding config failed: c: line 1: '.Service.Password' is no placeholder of a task")]
    [InlineData("{{ if .Task.ID }}x{{ end }}", "expanding config failed: c: line 1: 'if .Task.ID' does not work in templates of secrets and configs: placeholders, env, secret and config do")]
    [InlineData("{{ secret \"other\" }}", "expanding config failed: c: line 1: the service has no secret with the target or name 'other'")]
    [InlineData("{{ env }}", "expanding config failed: c: line 1: env takes one name in quotes, as in {{ env \"NAME\" }}")]
    [InlineData("{{ .Task.ID", "expanding config failed: c: line 1: '{{' is not closed")]
    public void What_cannot_be_filled_in_fails_the_task_with_a_sentence(string text, string problem) =>
        Assert.Equal(problem, Assert.Throws<TaskFailedException>(() => Expand(text)).Message);

    [Fact]
    public void Files_stand_at_their_targets_with_owner_and_mode()
    {
        var files = Files("x");
        Assert.Equal(["/run/secrets/target", "/conf", "/c"], files.Targets);
        Assert.Equal((5u, 6u, 0x100u), (files.Files[0].Uid, files.Files[0].Gid, files.Files[0].Mode));
        Assert.Equal("raw {{ .Task.ID }}", Encoding.UTF8.GetString(files.Files[1].Bytes.Span));
    }

    [Fact]
    public void Everything_that_is_missing_is_named()
    {
        var failure = Assert.Throws<TaskFailedException>(() => TaskFilesPlan.Of(Assignment, NodePayloads.None, "box"));
        Assert.Contains("secret token not found", failure.Message, StringComparison.Ordinal);
        Assert.Contains("config conf not found", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_no_template()
    {
        var failure = Assert.Throws<TaskFailedException>(() => TaskFilesPlan.Of(Assignment, Payloads([0xff, 0xfe]), "box"));
        Assert.Contains("a template is text in UTF-8", failure.Message, StringComparison.Ordinal);
    }

    private static TaskAssignment Assignment { get; } = NodeAgentTests.TestNode.Assign(3) with
    {
        ServiceLabels = new Dictionary<string, string> { ["tier"] = "front" },
        Task = NodeAgentTests.TestNode.Assign(3).Task with
        {
            Spec = new TaskSpec
            {
                ContainerSpec = new ContainerSpec
                {
                    Image = "app:1",
                    Env = ["WHERE=at {{.Service.Name}}"],
                    Secrets = [new() { SecretId = "1", SecretName = "token", File = new() { Name = "target", Uid = "5", Gid = "6", Mode = 0x100 } }],
                    Configs = [new() { ConfigId = "2", ConfigName = "conf", File = new() { Name = "conf" } }, new() { ConfigId = "3", ConfigName = "c", File = new() { Name = "/c" } }],
                },
            },
        },
    };

    private static NodePayloads Payloads(byte[] template) => NodePayloads.None.After(new Assignments
    {
        SessionId = "s",
        Sequence = 1,
        Secrets = [new() { Id = "1", Name = "token", Data = "hunter2"u8.ToArray() }],
        Configs = [new() { Id = "2", Name = "conf", Data = "raw {{ .Task.ID }}"u8.ToArray() }, new() { Id = "3", Name = "c", Data = template, Template = true }],
    });

    private static Orchestrator.Worker.Containers.Payloads.ContainerFiles Files(string template) => TaskFilesPlan.Of(Assignment, Payloads(Encoding.UTF8.GetBytes(template)), "box");

    private static string Expand(string template) => Encoding.UTF8.GetString(Files(template).Files[2].Bytes.Span);
}
