using System.Formats.Tar;
using Orchestrator.Shared.Model;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Tests.Integration.Hosts;

/// <summary>RUN steps as the host's containers.</summary>
[Collection("hosts")]
public sealed class BuildStepTests
{
    [Fact]
    public async Task A_built_image_runs_and_holds_what_its_step_changed_and_nothing_else()
    {
        await using var world = await HostWorld.StartAsync();
        // Only what the shell needs: the runner has to make every place that it mounts on.
        await BuildAsync(world, "base", "FROM scratch\nCOPY --from=busybox:latest /bin /bin\nCOPY --from=busybox:latest /var /var\n");
        await BuildAsync(world, "made", """
            FROM base
            RUN grep -E ' / overlay ' /proc/mounts > /mounted && echo made > /made && mkdir /var/kept && mv /var/www /var/web
            CMD ["cat", "/made"]
            """);

        var id = await world.RunAsync(new ContainerCreateRequest { Image = "made" });
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);
        Assert.Equal("made\n", await world.OutputAsync(id));
        var mounted = await world.RunAsync(new ContainerCreateRequest { Image = "made", Cmd = ["cat", "/mounted"] });
        await world.EndAsync(mounted);
        var options = await world.OutputAsync(mounted);
        Assert.DoesNotContain("redirect_dir=on", options, StringComparison.Ordinal);
        Assert.DoesNotContain("metacopy=on", options, StringComparison.Ordinal);

        Assert.Equal(["made", "mounted", "var/", "var/kept/", "var/web/", "var/.wh.www"], await LayerAsync(world, "made"));
    }

    [Fact]
    public async Task A_failing_step_ends_the_build_with_its_output_and_leaves_nothing()
    {
        await using var world = await HostWorld.StartAsync();
        var failure = await Assert.ThrowsAsync<ImageException>(() => BuildAsync(world, "bad", "FROM busybox:latest\nRUN echo why; exit 4\n"));
        Assert.Contains("non-zero code: 4", failure.Message, StringComparison.Ordinal);
        Assert.Contains("why", world.Said, StringComparison.Ordinal);
        Assert.Empty(await world.Host.Networks.ListSandboxesAsync(HostWorld.Soon));
        Assert.Empty(Directory.EnumerateFileSystemEntries($"{world.Root}/run/build"));
        Assert.DoesNotContain(await world.TracesAsync(), t => t.Contains("overlay", StringComparison.Ordinal));
    }

    private static Task<string> BuildAsync(HostWorld world, string tag, string dockerfile) => world.Host.Images.BuildAsync(
        new BuildRequest { Context = new MemoryStream(TestImages.Tar([TestImages.TextFile("Dockerfile", dockerfile)])), Tags = [tag] },
        world.Host.BuildRunner, world, HostWorld.Soon);

    /// <summary>Names in the topmost layer of an image.</summary>
    private static async Task<string[]> LayerAsync(HostWorld world, string image)
    {
        using var archive = new MemoryStream();
        await world.Host.Images.SaveAsync([image], archive, HostWorld.Soon);
        archive.Position = 0;
        var top = (await world.Host.Images.InspectAsync(image, HostWorld.Soon)).DiffIds[^1]["sha256:".Length..];
        await using var files = new TarReader(archive);
        while (await files.GetNextEntryAsync(copyData: true) is { } file)
        {
            if (!file.Name.EndsWith(top, StringComparison.Ordinal) || file.DataStream is null)
                continue;
            var names = new List<string>();
            await using var layer = new TarReader(file.DataStream);
            while (await layer.GetNextEntryAsync() is { } entry)
                names.Add(entry.Name);
            return [.. names];
        }

        throw new InvalidOperationException($"no layer {top} in the archive of {image}");
    }
}
