using System.Text;
using System.Text.Json;
using Orchestrator.Cli.Commands.Containers;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands.Containers;

public sealed class ExecTextTests
{
    private static readonly ExecCreateRequest[] Requests =
    [
        new() { Cmd = ["true"] },
        new() { Cmd = ["sh", "-c", "echo \"é\n<&>+ 'x' \\ \u0001 𝄞\""], AttachStdin = true, AttachStdout = true, AttachStderr = true, Tty = true, ConsoleSize = [24, 80] },
        new() { Cmd = ["a"], Env = ["A=b", "C="], Privileged = true, User = "nobody:users", WorkingDir = "/tmp", DetachKeys = "ctrl-x" },
        new() { Cmd = ["a"], User = "", WorkingDir = "" },
    ];

    [Fact]
    public void Requests_are_the_models_json()
    {
        foreach (var request in Requests)
            Assert.Equal(Encoding.UTF8.GetString(ModelJson.Write(request)), Encoding.UTF8.GetString(ModelJson.Write(ModelJson.Read<ExecCreateRequest>(ExecTexts.Of(request)))));
        foreach (var start in new ExecStartRequest[] { new(), new() { Detach = true, Tty = true, ConsoleSize = [1, 2] } })
            Assert.Equal(Encoding.UTF8.GetString(ModelJson.Write(start)), Encoding.UTF8.GetString(ModelJson.Write(ModelJson.Read<ExecStartRequest>(ExecTexts.Of(start)))));
    }

    [Fact]
    public void No_member_of_a_request_is_forgotten()
    {
        Assert.Equal(11, typeof(ExecCreateRequest).GetProperties().Length);
        Assert.Equal(3, typeof(ExecStartRequest).GetProperties().Length);
    }

    [Fact]
    public void Answers_are_read_as_the_model_writes_them()
    {
        Assert.Equal("abc", ExecTexts.Id(ModelJson.Write(new ContainerCreateReply { Id = "abc", Warnings = ["Id"] })));
        foreach (var (running, code) in new (bool, int?)[] { (true, null), (false, 7), (false, 0), (false, null) })
        {
            var inspected = new ExecInspect { Id = "e", Running = running, ExitCode = code, ProcessConfig = new() { Entrypoint = "Running", Arguments = ["ExitCode"] } };
            Assert.Equal((running, code), ExecTexts.State(ModelJson.Write(inspected)));
            Assert.Equal((running, code), ExecTexts.State(JsonSerializer.SerializeToUtf8Bytes(inspected, (System.Text.Json.Serialization.Metadata.JsonTypeInfo<ExecInspect>)ModelJson.Indented.GetTypeInfo(typeof(ExecInspect)))));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\":{\"Id\":\"x\"}}")]
    [InlineData("{\"Id\":1}")]
    [InlineData("{\"Id\":\"x")]
    [InlineData("{\"a\":\"\\\"Id\\\":\"}")]
    public void An_answer_without_an_id_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => ExecTexts.Id(Encoding.UTF8.GetBytes(text)));
}
