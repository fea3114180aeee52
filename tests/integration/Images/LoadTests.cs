using System.IO.Compression;
using System.Text;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;

namespace Orchestrator.Tests.Integration.Images;

public sealed class LoadTests
{
    [Fact]
    public async Task A_loaded_image_is_found_by_every_kind_of_name()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox("busybox:1.36"));
        foreach (var name in (string[])["busybox:1.36", "docker.io/library/busybox:1.36", id, id["sha256:".Length..], id[7..19]])
            Assert.Equal(id, (await store.Store.ResolveAsync(name, default))?.Id);
        Assert.Null(await store.Store.ResolveAsync("busybox", default));
        var record = await store.Store.InspectAsync(id, default);
        Assert.Equal(["busybox:1.36"], record.RepoTags);
        Assert.Equal(["sh"], record.Config.Cmd!);
        Assert.Equal(new FileInfo("/bin/busybox").Length, record.Size, tolerance: 4096);
        Assert.Equal($"busybox:1.36 {id} {record.ManifestDigest}", await AfterRestart(store, id));
        Assert.Contains("Loaded image: busybox:1.36\n", store.Text);
    }

    [Fact]
    public async Task Layers_mount_as_one_tree_with_whiteouts_obeyed()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Archive(
            "stack:1",
            new(),
            [TestImages.Folder("keep"), TestImages.TextFile("keep/old", "old"), TestImages.TextFile("gone", "x"), TestImages.Folder("opaque"), TestImages.TextFile("opaque/below", "x")],
            [TestImages.Folder("keep"), TestImages.TextFile("keep/new", "new"), TestImages.TextFile(".wh.gone", ""), TestImages.Folder("opaque"),
             TestImages.TextFile("opaque/.wh..wh..opq", ""), TestImages.TextFile("opaque/top", "x")]));
        Assert.Equal("keep\nkeep/new\nkeep/old\nopaque\nopaque/top\n", await store.InOverlayAsync("stack:1", "cd $M; find . -mindepth 1 | sed 's#^./##' | sort"));
    }

    [Fact]
    public async Task Unpacking_keeps_everything_a_tar_says()
    {
        using var store = await StoreFixture.StartAsync();
        var capability = Convert.FromHexString("0100000200040000000000000000000000000000"); // cap_net_bind_service+ep, vfs_cap_data v2
        var longName = string.Join('/', Enumerable.Repeat("a-rather-long-folder-name", 8)) + "/file";
        var ping = TestImages.BinaryFile("ping", [1, 2, 3], "4755");
        await store.LoadAsync(TestImages.Archive("all:1", new(),
        [
            TestImages.Folder("sticky", "1777"),
            ping with
            {
                Entry = ping.Entry with
                {
                    Uid = 70000, Gid = 3_000_000, ModifiedSeconds = 1_700_000_000, ModifiedNanoseconds = 123456789,
                    Xattrs = TarEntry.NoXattrs.Add("security.capability", [.. capability]).Add("user.note", [(byte)'a', 0, (byte)'\n', 0xff]),
                },
            },
            (new() { Name = "hard", Kind = TarKind.HardLink, LinkName = "ping" }, []),
            TestImages.Symlink("soft", "/nowhere/at all"),
            (new() { Name = "null", Kind = TarKind.Character, Mode = 0x1b6, DeviceMajor = 1, DeviceMinor = 3 }, []),
            (new() { Name = "disk", Kind = TarKind.Block, Mode = 0x1b0, DeviceMajor = 259, DeviceMinor = 300 }, []),
            (new() { Name = "pipe", Kind = TarKind.Fifo, Mode = 0x180 }, []),
            TestImages.TextFile(longName, "deep"),
            TestImages.TextFile("ünïcödé", "x"),
        ]));
        var facts = await store.InOverlayAsync("all:1", "cd $M; stat -c '%n %A %u:%g %h %t:%T %y' sticky ping hard null disk pipe | cut -d. -f1,2 | sed 's/ [-+][0-9]*$//'; readlink soft; cat a-rather*/*/*/*/*/*/*/*/file; ls ünïcödé");
        Assert.Contains("sticky drwxrwxrwt 0:0", facts);
        Assert.Contains("ping -rwsr-xr-x 70000:3000000 2 0:0 ", facts);
        Assert.Contains("hard -rwsr-xr-x 70000:3000000 2 ", facts);
        Assert.Contains("null crw-rw-rw- 0:0 1 1:3", facts);
        Assert.Contains("disk brw-rw---- 0:0 1 103:12c", facts);
        Assert.Contains("pipe prw------- ", facts);
        Assert.Contains("/nowhere/at all\ndeep", facts);
        Assert.Contains("ünïcödé", facts);
        var record = await store.Store.InspectAsync("all:1", default);
        var diff = (await store.Store.AcquireLayersAsync(record.Id, "h", default)).LowerDirs[0];
        var status = Worker.Linux.FileOps.Status($"{diff}/ping")!.Value;
        Assert.Equal((1_700_000_000, 123456789u), (status.ModifiedSeconds, status.ModifiedNanoseconds));
        Assert.Equal(capability, Worker.Linux.ExtendedAttributes.Get($"{diff}/ping", "security.capability"));
        Assert.Equal([(byte)'a', 0, (byte)'\n', 0xff], Worker.Linux.ExtendedAttributes.Get($"{diff}/ping", "user.note"));
    }

    [Fact]
    public async Task A_cut_archive_is_refused_and_leaves_nothing()
    {
        using var store = await StoreFixture.StartAsync();
        var whole = TestImages.Busybox();
        foreach (var length in (int[])[0, 100, 512, 700, whole.Length / 2, whole.Length - 1024])
        {
            var refusal = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(whole[..length]));
            Assert.Equal(ImageFault.BadContent, refusal.Fault);
        }
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(whole);
        await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(zipped.ToArray()[..(int)(zipped.Length / 2)]));
        AssertEmpty(store);
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_config_promises_is_refused_and_leaves_nothing()
    {
        using var store = await StoreFixture.StartAsync();
        var archive = TestImages.Archive("bad:1", new(), [TestImages.TextFile("a", "the-content-as-promised")]);
        var at = archive.AsSpan().IndexOf("the-content-as-promised"u8);
        archive[at] = (byte)'T';
        var refusal = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(archive));
        Assert.StartsWith("content does not fit its digest: expected sha256:", refusal.Message);
        AssertEmpty(store);
    }

    [Fact]
    public async Task A_gzip_archive_and_gzip_layers_are_taken_and_zstd_is_refused_by_name()
    {
        using var store = await StoreFixture.StartAsync();
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(TestImages.Busybox());
        await store.LoadAsync(zipped.ToArray());
        var refusal = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]));
        Assert.Equal("the archive is compressed with zstd, which is not supported; use gzip or no compression", refusal.Message);
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("a/../../escape")]
    [InlineData("/../escape")]
    public async Task A_name_that_climbs_out_is_refused(string name)
    {
        using var store = await StoreFixture.StartAsync();
        var refusal = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(TestImages.Archive("evil:1", new(), [TestImages.TextFile(name, "x")])));
        Assert.Contains("leaves its root", refusal.Message);
        AssertEmpty(store);
    }

    [Fact]
    public async Task Links_cannot_carry_files_out_of_the_layer()
    {
        using var store = await StoreFixture.StartAsync();
        using var outside = new ScratchFolder();
        File.WriteAllText(outside.At("victim"), "untouched");
        await Refused([TestImages.Symlink("door", outside.Path), TestImages.TextFile("door/victim", "owned")], "a link to something it does not hold");
        await Refused([TestImages.Symlink("door", "../../../../../../.." + outside.Path), TestImages.TextFile("door/victim", "owned")], "a link to something it does not hold");
        await Refused([(new() { Name = "hard", Kind = TarKind.HardLink, LinkName = outside.At("victim") }, [])], "which it does not hold");
        await Refused([TestImages.Symlink("door", outside.Path), (new() { Name = "hard", Kind = TarKind.HardLink, LinkName = "door/victim" }, [])], "which it does not hold");
        await Refused([TestImages.Symlink("door", "/proc/self/root"), TestImages.TextFile("door/tmp/owned", "x")], "a link to something it does not hold");
        Assert.Equal("untouched", File.ReadAllText(outside.At("victim")));
        Assert.Equal([outside.At("victim")], Directory.GetFileSystemEntries(outside.Path));
        AssertEmpty(store);

        async Task Refused((TarEntry, byte[])[] layer, string why)
        {
            var refusal = await Assert.ThrowsAsync<ImageException>(() => store.LoadAsync(TestImages.Archive("evil:1", new(), layer)));
            Assert.Contains(why, refusal.Message);
        }
    }

    [Fact]
    public async Task A_file_over_a_link_replaces_the_link_and_not_what_it_points_to()
    {
        using var store = await StoreFixture.StartAsync();
        using var outside = new ScratchFolder();
        File.WriteAllText(outside.At("victim"), "untouched");
        await store.LoadAsync(TestImages.Archive("over:1", new(), [TestImages.Symlink("f", outside.At("victim")), TestImages.TextFile("f", "mine")]));
        Assert.Equal("mine", await store.InOverlayAsync("over:1", "cat $M/f"));
        Assert.Equal("untouched", File.ReadAllText(outside.At("victim")));
    }

    [Fact]
    public async Task What_a_crash_leaves_is_removed_at_start_and_the_rest_survives()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        File.WriteAllText(Path.Combine(store.Root, "content/ingest/blob-7"), "half");
        File.WriteAllText(Path.Combine(store.Root, "content/index.json.new"), "{");
        File.WriteAllText(Path.Combine(store.Root, "content/blobs/sha256", new string('a', 64)), "orphan");
        Directory.CreateDirectory(Path.Combine(store.Root, "layers/tmp-3/diff/half"));
        Directory.CreateDirectory(Path.Combine(store.Root, "layers", new string('b', 64), "diff"));
        Directory.CreateDirectory(Path.Combine(store.Root, "build/run-1/upper"));
        Assert.Empty(await store.RestartAsync());
        Assert.Empty(store.Files("content/ingest"));
        Assert.Equal(3, store.Files("content/blobs/sha256").Length);
        Assert.Equal(["holders.log", (await store.Store.InspectAsync(id, default)).DiffIds[0][7..]], store.Files("layers").OrderDescending());
        Assert.Empty(store.Files("build"));
    }

    [Fact]
    public async Task A_damaged_index_stops_the_start_and_a_damaged_image_is_named_and_left_out()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        var index = Path.Combine(store.Root, "content/index.json");
        var good = await File.ReadAllTextAsync(index);
        await File.WriteAllTextAsync(index, good[..20]);
        Assert.Contains("index.json is damaged", (await Assert.ThrowsAsync<ImageException>(store.RestartAsync)).Message);
        await File.WriteAllTextAsync(index, good);
        File.Delete(Path.Combine(store.Root, "content/blobs/sha256", id[7..]));
        var problem = Assert.Single(await store.RestartAsync());
        Assert.Equal($"image docker.io/library/busybox:latest is not usable: content {id} is missing", problem);
        Assert.Empty(await store.Store.ListAsync(default));
    }

    [Fact]
    public async Task Concurrent_callers_share_one_unpack()
    {
        using var store = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        var diff = (await store.Store.InspectAsync(id, default)).DiffIds[0][7..];
        Directory.Delete(Path.Combine(store.Root, "layers", diff), recursive: true);
        var stacks = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => store.Store.AcquireLayersAsync(id, $"c{i}", default).AsTask()));
        Assert.All(stacks, s => Assert.True(File.Exists(Path.Combine(s.LowerDirs[0], "bin/busybox"))));
        Assert.Equal(16, store.Store.HoldersOf(id).Length);
        Assert.DoesNotContain(store.Files("layers"), f => f.StartsWith("tmp-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_saved_image_loads_again_as_the_same_image()
    {
        using var store = await StoreFixture.StartAsync();
        using var other = await StoreFixture.StartAsync();
        var id = await store.LoadAsync(TestImages.Busybox());
        await store.Store.TagAsync("busybox", "again:2", default);
        using var saved = new MemoryStream();
        await store.Store.SaveAsync(["busybox:latest", "again:2"], saved, default);
        Assert.Equal(id, await other.LoadAsync(saved.ToArray()));
        Assert.Equal(["again:2", "busybox:latest"], (await other.Store.InspectAsync(id, default)).RepoTags);
    }

    [Fact]
    public async Task An_imported_root_file_system_runs_with_its_changes()
    {
        using var store = await StoreFixture.StartAsync();
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(TestImages.Tar([TestImages.Folder("etc"), TestImages.TextFile("etc/hello", "hi")]));
        zipped.Position = 0;
        var id = await store.Store.ImportAsync(zipped, "rootfs:1", ["CMD [\"/x\"]", "ENV A=b C=\"d e\"", "EXPOSE 80"], "made by hand", default);
        var record = await store.Store.InspectAsync("rootfs:1", default);
        Assert.Equal(id, record.Id);
        Assert.Equal(["A=b", "C=d e"], record.Config.Env!);
        Assert.Equal(["/x"], record.Config.Cmd!);
        Assert.Equal("hi", await store.InOverlayAsync("rootfs:1", "cat $M/etc/hello"));
        Assert.Equal("made by hand", (await store.Store.HistoryAsync(id, default))[0].Comment);
        var refusal = await Assert.ThrowsAsync<ImageException>(() => store.Store.ImportAsync(new MemoryStream(), null, ["RUN x", "CMDD y"], null, default));
        Assert.Equal("unknown instruction: CMDD (did you mean CMD?)\nRUN is not a valid change command", refusal.Message);
    }

    private static async Task<string> AfterRestart(StoreFixture store, string id)
    {
        Assert.Empty(await store.RestartAsync());
        var record = await store.Store.InspectAsync(id, default);
        return $"{record.RepoTags[0]} {record.Id} {record.ManifestDigest}";
    }

    private static void AssertEmpty(StoreFixture store)
    {
        Assert.Empty(store.Files("content/blobs/sha256"));
        Assert.Empty(store.Files("content/ingest"));
        Assert.Equal(["holders.log"], store.Files("layers"));
        Assert.Equal(Encoding.UTF8.GetString([]), string.Concat(store.Events.Select(e => e.Action)));
    }
}
