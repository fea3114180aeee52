using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Images;

/// <summary>Archives written and read by other tools (Debian packages skopeo and umoci).</summary>
public sealed class ToolTests
{
    [Fact]
    public async Task Skopeo_reads_what_is_saved_and_its_archives_load()
    {
        Need("skopeo");
        using var store = await StoreFixture.StartAsync();
        using var folder = new ScratchFolder();
        var id = await store.LoadAsync(TestImages.Busybox());
        await using (var file = File.Create(folder.At("saved.tar")))
            await store.Store.SaveAsync(["busybox"], file, default);
        StoreFixture.Shell($"cd {folder.Path} && skopeo copy --insecure-policy docker-archive:saved.tar oci-archive:oci.tar:tools/busybox:1 && skopeo copy --insecure-policy docker-archive:saved.tar docker-archive:docker.tar:tools/busybox:2");

        using var other = await StoreFixture.StartAsync();
        // Into an OCI archive skopeo compresses the layers and writes the config anew, so the id is another; the file systems are the same.
        var converted = await other.Store.InspectAsync(await LoadFile(other, folder.At("oci.tar")), default);
        Assert.Equal(id, await LoadFile(other, folder.At("docker.tar")));
        Assert.Equal(["tools/busybox:1"], converted.RepoTags);
        Assert.Equal(["tools/busybox:2"], (await other.Store.InspectAsync(id, default)).RepoTags);
        Assert.Equal((await store.Store.InspectAsync(id, default)).DiffIds, converted.DiffIds);
        Assert.StartsWith("BusyBox", await other.InOverlayAsync("tools/busybox:1", "chroot $M /bin/busybox | head -1"));
    }

    [Fact]
    public async Task Layers_compressed_with_zstd_are_refused_by_name()
    {
        Need("skopeo");
        using var store = await StoreFixture.StartAsync();
        using var folder = new ScratchFolder();
        await File.WriteAllBytesAsync(folder.At("in.tar"), TestImages.Busybox());
        StoreFixture.Shell($"cd {folder.Path} && skopeo copy --insecure-policy --dest-compress-format zstd docker-archive:in.tar oci-archive:zstd.tar:busybox:z");
        var refusal = await Assert.ThrowsAsync<Orchestrator.Worker.Images.ImageException>(() => LoadFile(store, folder.At("zstd.tar")));
        Assert.EndsWith("is compressed with zstd, which is not supported; use gzip or no compression", refusal.Message);
        Assert.Empty(store.Files("content/blobs/sha256"));
    }

    [Fact]
    public async Task The_content_store_is_an_OCI_layout_that_umoci_and_skopeo_read()
    {
        Need("umoci");
        Need("skopeo");
        using var store = await StoreFixture.StartAsync();
        using var folder = new ScratchFolder();
        await store.LoadAsync(TestImages.Busybox());
        StoreFixture.Shell($"umoci ls --layout {store.Root}/content | grep -x docker.io/library/busybox:latest");
        StoreFixture.Shell($"cd {folder.Path} && umoci init --layout made && umoci new --image made:one && umoci unpack --image made:one bundle && echo hi > bundle/rootfs/hello && umoci repack --image made:one bundle && umoci config --image made:one --config.cmd /hello && tar -C made -cf made.tar .");
        var id = await LoadFile(store, folder.At("made.tar"));
        Assert.Contains($"Loaded image ID: {id}\n", store.Text);
        Assert.Equal("hi\n", await store.InOverlayAsync(id, "cat $M/hello"));
        Assert.Equal(["/hello"], (await store.Store.InspectAsync(id, default)).Config.Cmd!);
    }

    private static async Task<string> LoadFile(StoreFixture store, string path)
    {
        await using var file = File.OpenRead(path);
        return (await store.Store.LoadAsync(file, store, default))[0];
    }

    private static void Need(string tool)
    {
        if (!File.Exists("/usr/bin/" + tool))
            Assert.Skip($"{tool} is missing: install the package {tool}");
    }
}
