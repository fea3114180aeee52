using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class VolumePlanTests
{
    private int names;

    [Theory]
    [InlineData("data:/d", "data|/d|rw|copy|z")]
    [InlineData("data:/d/:ro,nocopy", "data|/d|ro|nocopy|ro,nocopy")]
    [InlineData("/d", "new1|/d|rw|copy|")]
    public void Bind_strings_ask_for_volumes_as_docker_reads_them(string bind, string wanted) =>
        Assert.Equal(wanted, Words(Assert.Single(Of(new HostConfig { Binds = [bind] }, []))));

    [Fact]
    public void A_volume_mount_keeps_its_subpath_labels_and_options()
    {
        var made = Assert.Single(Of(new HostConfig
        {
            Mounts =
            [
                new Mount
                {
                    Type = "volume", Source = "data", Target = "/d", ReadOnly = true,
                    VolumeOptions = new VolumeOptions
                    {
                        NoCopy = true, Subpath = "a/b", Labels = new Dictionary<string, string> { ["k"] = "v" },
                        DriverConfig = new LogDriver { Name = "local", Options = new Dictionary<string, string> { ["type"] = "tmpfs", ["device"] = "tmpfs" } },
                    },
                },
            ],
        }, []));
        Assert.Equal("data|/d|ro|nocopy|z", Words(made));
        Assert.Equal(("a/b", "v", "tmpfs", false), (made.Subpath, made.Labels["k"], made.Options["type"], made.Anonymous));
    }

    [Fact]
    public void A_path_that_the_image_declares_is_an_anonymous_volume_unless_something_else_is_mounted_there()
    {
        var host = new HostConfig { Binds = ["data:/a", "/host:/b"], Mounts = [new Mount { Type = "tmpfs", Target = "/c" }] };
        var all = Of(host, ["/a", "/b/", "/c", "/d", "/d/"]);
        Assert.Equal(["data|/a|rw|copy|z", "new1|/d|rw|copy|"], all.Select(Words));
        Assert.Equal([false, true], all.Select(v => v.Anonymous));
    }

    [Fact]
    public void Lent_mounts_yield_to_own_ones_and_can_only_become_read_only()
    {
        var lender = new StoredContainer
        {
            Id = "1", Name = "lender", Created = default, ImageId = "i", Config = new ContainerConfig(),
            HostConfig = new HostConfig { Binds = ["/host:/bind:ro", "/other:/own"] },
            Volumes = [new StoredMount { Type = "volume", Name = "v", Source = "/v/_data", Destination = "/vol", Anonymous = true }],
        };
        var lent = new List<LentMounts> { new(VolumePlan.Lent(lender), ReadOnly: true) };
        var all = VolumePlan.Of(MountPlan.Of(new HostConfig { Binds = ["mine:/own"] }, []), ["/vol"], lent, () => "never", n => $"/{n}");
        Assert.Equal(["|/bind|ro|nocopy|ro", "mine|/own|rw|copy|z", "v|/vol|ro|nocopy|"], all.Select(Words));
        Assert.True(all[2].Anonymous);
    }

    [Theory]
    [InlineData("web", "web False")]
    [InlineData("web:ro", "web True")]
    [InlineData("web:rw", "web False")]
    [InlineData("web:fast", "")]
    [InlineData("", "")]
    public void Volumes_from_names_a_container_and_whether_it_writes(string text, string read) =>
        Assert.Equal(read, VolumePlan.ParseFrom(text) is { } from ? $"{from.Container} {from.ReadOnly}" : "");

    [Theory]
    [InlineData("nas", null, "volume driver \"nas\" is not there")]
    [InlineData("local", "size=1g", "the option \"size\" cannot be enforced")]
    [InlineData("local", "speed=high", "invalid option: \"speed\"")]
    [InlineData("local", "type=nfs", "missing required option: \"device\"")]
    [InlineData("local", "o=ro", "missing required option: \"device\"")]
    public void What_the_local_driver_cannot_do_is_refused_by_name(string driver, string? option, string problem)
    {
        var problems = new List<Problem>();
        var options = option is null ? [] : new Dictionary<string, string> { [option.Split('=')[0]] = option.Split('=')[1] };
        MountPlan.Of(new HostConfig
        {
            Mounts = [new Mount { Type = "volume", Source = "data", Target = "/d", VolumeOptions = new VolumeOptions { DriverConfig = new LogDriver { Name = driver, Options = options } } }],
        }, problems);
        Assert.Contains(problems, p => p.Message.StartsWith(problem, StringComparison.Ordinal));
    }

    private IReadOnlyList<StoredMount> Of(HostConfig host, IReadOnlyList<string> anonymous)
    {
        var problems = new List<Problem>();
        var own = MountPlan.Of(host, problems);
        Assert.Empty(problems);
        return VolumePlan.Of(own, anonymous, [], () => $"new{++names}", n => $"/volumes/{n}/_data");
    }

    private static string Words(StoredMount m) => $"{m.Name}|{m.Destination}|{(m.ReadOnly ? "ro" : "rw")}|{(m.NoCopy ? "nocopy" : "copy")}|{m.Mode}";
}
