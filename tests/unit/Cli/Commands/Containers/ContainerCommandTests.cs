namespace Orchestrator.Tests.Unit.Cli.Commands.Containers;

public sealed class ContainerCommandTests
{
    private const string Row = """
        [{"Id":"0123456789abcdef","Names":["/web"],"Image":"web:1","Command":"sh","Created":1763778513,"State":"running","Status":"Up 2 hours",
        "Mounts":[{"Type":"volume","Name":"data","Driver":"local","Destination":"/d"},{"Type":"bind","Source":"/x","Destination":"/x"}]}]
        """;

    [Fact]
    public async Task A_forced_removal_of_what_is_not_there_is_no_failure()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("DELETE /containers/gone", """{"message":"No such container: gone"}""", 404).On("DELETE /containers/web", "", 204);
        var ran = await engine.RunAsync("rm", "-f", "gone", "web");
        Assert.Equal((0, "web\n", "Error response from daemon: No such container: gone\n"), (ran.Code, ran.Out, ran.Error));
        Assert.Equal(1, (await engine.RunAsync("rm", "gone")).Code);
    }

    [Fact]
    public async Task Rows_tell_local_volumes_and_times_as_docker_does()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /containers/json", Row);
        var ran = await engine.RunAsync("ps", "--format", "{{.Names}} {{.LocalVolumes}} {{.CreatedAt}} {{.Size}}");
        Assert.Equal("web 1 2025-11-22 02:28:33 +0000 UTC 0B\n", ran.Out);
    }

    [Theory]
    [InlineData("inspect", "-s")]
    [InlineData("inspect", "--size")]
    [InlineData("container", "inspect", "--size")]
    public async Task An_inspection_with_sizes_asks_for_them(params string[] words)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /containers/web/json", """{"Id":"0123456789abcdef","SizeRw":7,"SizeRootFs":8}""");
        Assert.Equal("7 of 8\n", (await engine.RunAsync([.. words, "-f", "{{.SizeRw}} of {{.SizeRootFs}}", "web"])).Out);
        Assert.Equal("GET /containers/web/json?size=1", engine.Calls[0].Call);
    }

    [Fact]
    public async Task Unused_networks_are_pruned_with_filters()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /networks/prune", """{"NetworksDeleted":["old"]}""");
        Assert.Equal("Deleted Networks:\nold\n\n", (await engine.RunAsync("network", "prune", "-f", "--filter", "label=a")).Out);
        Assert.Equal("""POST /networks/prune?filters={"label":["a"]}""", engine.Calls[0].Call);
    }
}
