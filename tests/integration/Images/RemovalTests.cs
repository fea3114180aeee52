using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images;

namespace Orchestrator.Tests.Integration.Images;

public sealed class RemovalTests
{
    private const string Container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task The_last_name_takes_the_image_and_its_content_along()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        await store.Store.TagAsync("busybox", "second:tag", default);
        Assert.Equal([new RemovedItem("busybox:latest", null)], await store.Store.RemoveAsync("busybox", new(), default));
        Assert.Equal([new RemovedItem("second:tag", null), new RemovedItem(null, id)], await store.Store.RemoveAsync("second:tag", new(), default));
        Assert.Empty(store.Files("content/blobs/sha256"));
        Assert.Equal(["holders.log"], store.Files("layers"));
        Assert.Equal(["load", "tag", "untag", "untag", "delete"], store.Events.Select(e => e.Action));
    }

    [Fact]
    public async Task A_container_keeps_its_image_and_force_keeps_its_layers()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        var stack = await store.Store.AcquireLayersAsync(id, Container, default);
        await Refused("busybox", new(), $"conflict: unable to remove repository reference \"busybox:latest\" (must force) - container 0123456789ab is using its referenced image {ImageIds.Short(id)}");
        await Refused(id, new(), $"conflict: unable to delete {ImageIds.Short(id)} (must be forced) - image is being used by stopped container 0123456789ab");
        await Refused(id, new() { Force = true, IsRunning = _ => true }, $"conflict: unable to delete {ImageIds.Short(id)} (cannot be forced) - image is being used by running container 0123456789ab");
        Assert.Empty(await store.RestartAsync());
        await Refused("busybox", new(), $"conflict: unable to remove repository reference \"busybox:latest\" (must force) - container 0123456789ab is using its referenced image {ImageIds.Short(id)}");
        await store.Store.RemoveAsync("busybox", new() { Force = true }, default);
        Assert.Null(await store.Store.ResolveAsync(id, default));
        Assert.True(File.Exists(Path.Combine(stack.LowerDirs[0], "bin/busybox")));
        Assert.Empty(await store.RestartAsync());
        Assert.Equal(stack.LowerDirs, (await store.Store.AcquireLayersAsync(id, Container, default)).LowerDirs);
        await store.Store.ReleaseAsync(Container, default);
        Assert.Equal(["holders.log"], store.Files("layers"));

        async Task Refused(string name, RemoveOptions how, string message)
        {
            var refusal = await Assert.ThrowsAsync<ImageException>(() => store.Store.RemoveAsync(name, how, default).AsTask());
            Assert.Equal((ImageFault.Conflict, message), (refusal.Fault, refusal.Message));
        }
    }

    [Fact]
    public async Task Holders_are_remembered_over_a_restart_and_a_torn_last_line_is_not_one()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        for (var i = 0; i < 10; i++)
            await store.Store.AcquireLayersAsync(id, $"c{i}", default);
        for (var i = 0; i < 8; i++)
            await store.Store.ReleaseAsync($"c{i}", default);
        await File.AppendAllTextAsync(Path.Combine(store.Root, "layers/holders.log"), $"+ torn {id[..30]}");
        Assert.Empty(await store.RestartAsync());
        Assert.Equal(["c8", "c9"], store.Store.HoldersOf(id));
        Assert.Equal(2, File.ReadAllLines(Path.Combine(store.Root, "layers/holders.log")).Length);
    }

    [Fact]
    public async Task Prune_takes_dangling_images_and_leaves_used_and_named_ones()
    {
        using var store = await StoreFixture.StartAsync();
        var old = await store.LoadAsync(TestImages.Archive("app:1", new(), [TestImages.TextFile("v", new string('1', 5000))]));
        var used = await store.LoadAsync(TestImages.Archive("app:1", new(), [TestImages.TextFile("v", "2")]));
        await store.Store.AcquireLayersAsync(used, Container, default);
        var current = await store.LoadAsync(TestImages.Archive("app:1", new(), [TestImages.TextFile("v", "3")]));
        Assert.Contains($"The image app:1 already exists, renaming the old one with ID {old} to empty string\n", store.Text);
        var report = await store.Store.PruneAsync(new(), default);
        Assert.Equal([new RemovedItem(null, old)], report.Removed);
        Assert.True(report.SpaceReclaimed > 5000);
        Assert.Equal(new[] { current, used }.Order(), (await store.Store.ListAsync(default)).Select(i => i.Id).Order());
        var all = await store.Store.PruneAsync(new() { All = true }, default);
        Assert.Equal([new RemovedItem("app:1", null), new RemovedItem(null, current)], all.Removed);
        Assert.Equal(used, Assert.Single(await store.Store.ListAsync(default)).Id);
    }

    [Fact]
    public async Task A_short_id_that_fits_two_images_is_refused()
    {
        using var store = await StoreFixture.StartAsync();
        var ids = new List<string>();
        for (var i = 0; ids.GroupBy(id => id[7]).All(g => g.Count() < 2); i++)
            ids.Add(await store.LoadAsync(TestImages.Archive(null, new(), [TestImages.TextFile("n", $"{i}")])));
        var twice = ids.GroupBy(id => id[7]).First(g => g.Count() > 1).Key.ToString();
        var refusal = await Assert.ThrowsAsync<ImageException>(() => store.Store.ResolveAsync(twice, default).AsTask());
        Assert.Equal($"ambiguous image id: {twice} fits several images", refusal.Message);
    }
}
