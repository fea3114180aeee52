using System.Text.Json;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class OciJsonTests
{
    [Fact]
    public void What_is_absent_takes_its_default()
    {
        var spec = JsonSerializer.Deserialize("""{"process":{"args":["x"]},"linux":{"resources":{}}}""", OciJson.Default.OciSpec)!;
        Assert.Equal("/", spec.Process.Cwd);
        Assert.Empty(spec.Process.Env);
        Assert.Empty(spec.Mounts);
        Assert.Empty(spec.Annotations);
        Assert.Empty(spec.Linux.Sysctl);
        Assert.Empty(spec.Linux.Resources.Devices);
        Assert.Empty(spec.Linux.Resources.Unified);
        Assert.Equal("1.2.0", spec.OciVersion);
    }

    [Fact]
    public void A_spec_reads_as_it_was_written()
    {
        var spec = new OciSpec
        {
            Hostname = "h",
            Process = new OciProcess { Args = ["sh", "-c", "true"], Rlimits = [new OciRlimit { Type = "RLIMIT_NOFILE", Soft = 1, Hard = ulong.MaxValue }] },
            Linux = new OciLinux { Resources = new OciResources { Memory = new OciMemory { Limit = 5, DisableOomKiller = true } } },
        };
        var json = JsonSerializer.Serialize(spec, OciJson.Default.OciSpec);
        Assert.Contains("\"disableOOMKiller\":true", json);
        Assert.DoesNotContain("null", json);
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, OciJson.Default.OciSpec), OciJson.Default.OciSpec));
    }
}
