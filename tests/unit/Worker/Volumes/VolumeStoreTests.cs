using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Volumes;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Tests.Unit.Worker.Volumes;

public sealed class VolumeStoreTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly string root = Directory.CreateTempSubdirectory("orch-volumes-").FullName;
    private readonly List<string> events = [];

    [Fact]
    public async Task A_volume_is_made_once_and_stays_what_it_was_made()
    {
        var store = Start();
        var made = await store.CreateAsync(Named("data", ("tier", "db")), None);
        var again = await store.CreateAsync(Named("data", ("tier", "web")), None);
        Assert.Equal((made.Volume.Created, "db"), (again.Volume.Created, again.Volume.Labels["tier"]));
        var conflict = await Assert.ThrowsAsync<VolumeException>(() => store.CreateAsync(
            Named("data") with { DriverOpts = new Dictionary<string, string> { ["type"] = "tmpfs", ["device"] = "tmpfs" } }, None));
        Assert.Equal(VolumeFault.Conflict, conflict.Fault);
        Assert.Equal(["create data"], events);
    }

    [Fact]
    public async Task A_volume_without_a_name_counts_as_anonymous()
    {
        var made = await Start().CreateAsync(new VolumeCreateRequest(), None);
        Assert.Equal((64, true), (made.Volume.Name.Length, made.IsAnonymous));
    }

    [Fact]
    public async Task A_volume_in_use_is_not_removed_and_says_by_whom()
    {
        var store = Start();
        await store.HoldAsync(Named("data"), "c1", None);
        await store.HoldAsync(Named("data"), "c2", None);
        var refused = await Assert.ThrowsAsync<VolumeException>(() => store.RemoveAsync("data", None));
        Assert.Equal((VolumeFault.Conflict, "remove data: volume is in use - [c1, c2]"), (refused.Fault, refused.Message));
        await store.ReleaseAsync(["data"], "c1");
        Assert.False(await store.RemoveUnusedAsync("data", None));
        await store.ReleaseAsync(["data"], "c2");
        await store.RemoveAsync("data", None);
        Assert.Equal(VolumeFault.NotFound, (await Assert.ThrowsAsync<VolumeException>(() => store.RemoveAsync("data", None))).Fault);
        Assert.Equal(["create data", "destroy data"], events);
        Assert.Empty(Directory.EnumerateFileSystemEntries(root));
    }

    [Fact]
    public async Task A_daemon_start_finds_the_volumes_and_removes_what_was_half_made_or_half_deleted()
    {
        await Start().CreateAsync(Named("data", ("tier", "db")), None);
        File.WriteAllText(Path.Combine(root, "data", "_data", "f"), "kept");
        Directory.CreateDirectory(Path.Combine(root, ".new-other", "_data"));
        Directory.CreateDirectory(Path.Combine(root, ".gone-old", "_data"));
        Directory.CreateDirectory(Path.Combine(root, "foreign"));
        var store = Start(new FoundUser("c1", Running: false, ["data", "lost"]));
        var found = Assert.Single(store.List());
        Assert.Equal(("data", "db"), (found.Volume.Name, found.Volume.Labels["tier"]));
        Assert.Equal(["c1"], found.Users);
        Assert.Equal("kept", File.ReadAllText(Path.Combine(found.Mountpoint, "f")));
        Assert.Equal(["data", "foreign"], Directory.GetDirectories(root).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_copied_as_a_whole_is_moved_in_after_a_crash_and_a_half_copy_is_not()
    {
        await Start().CreateAsync(Named("whole"), None);
        Directory.CreateDirectory(Path.Combine(root, "whole", "filled", "sub"));
        File.WriteAllText(Path.Combine(root, "whole", "filled", "a"), "new");
        File.WriteAllText(Path.Combine(root, "whole", "_data", "a"), "moved before the crash");
        await Start().CreateAsync(Named("half"), None);
        Directory.CreateDirectory(Path.Combine(root, "half", "filling", "sub"));
        var store = Start();
        Assert.Equal("moved before the crash", File.ReadAllText(Path.Combine(store.MountpointOf("whole"), "a")));
        Assert.True(Directory.Exists(Path.Combine(store.MountpointOf("whole"), "sub")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(store.MountpointOf("half")));
        Assert.All(["filled", "filling"], left => Assert.False(Path.Exists(Path.Combine(root, "whole", left)) || Path.Exists(Path.Combine(root, "half", left))));
    }

    [Fact]
    public async Task A_volume_is_filled_once_and_a_copy_that_fails_leaves_it_empty()
    {
        var store = Start();
        await store.HoldAsync(Named("data"), "c1", None);
        var failed = await Assert.ThrowsAsync<VolumeException>(() => store.FillAsync("data", into =>
        {
            File.WriteAllText(Path.Combine(into, "a"), "half");
            throw new IOException("No space left on device");
        }));
        Assert.Equal("fill volume data: No space left on device", failed.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(store.MountpointOf("data")));

        await store.FillAsync("data", Writes("image"));
        await store.FillAsync("data", Writes("again"));
        Assert.Equal("image", File.ReadAllText(Path.Combine(store.MountpointOf("data"), "a")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(store.MountpointOf("data")) & (UnixFileMode)0x1ff);

        static Func<string, bool> Writes(string text) => into =>
        {
            File.WriteAllText(Path.Combine(into, "a"), text);
            File.SetUnixFileMode(into, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            return true;
        };
    }

    [Fact]
    public async Task Prune_takes_anonymous_volumes_alone_unless_it_is_told_otherwise()
    {
        var store = Start();
        await store.CreateAsync(Named("named", ("keep", "no")), None);
        await store.CreateAsync(Named("labelled", ("keep", "yes")), None);
        await store.HoldAsync(Named("used"), "c1", None);
        var anonymous = (await store.CreateAsync(new VolumeCreateRequest(), None)).Volume.Name;
        File.WriteAllText(Path.Combine(store.MountpointOf(anonymous), "f"), "12345");
        var (removed, bytes) = await store.PruneAsync(named: false, new VolumeFilter(), None);
        Assert.Equal([anonymous], removed);
        Assert.Equal(5, bytes);
        (removed, _) = await store.PruneAsync(named: true, new VolumeFilter { NotLabels = ["keep=yes"] }, None);
        Assert.Equal(["named"], removed);
        Assert.Equal(["labelled", "used"], store.List().Select(v => v.Volume.Name));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("../etc")]
    [InlineData(".hidden")]
    [InlineData("with space")]
    public void A_name_that_is_no_folder_of_ours_is_refused(string name) =>
        Assert.Equal(VolumeFault.Invalid, Assert.Throws<VolumeException>(() => { _ = Start().CreateAsync(Named(name), None); }).Fault);

    public void Dispose() => Directory.Delete(root, recursive: true);

    private VolumeStore Start(params FoundUser[] found)
    {
        var store = new VolumeStore(new VolumeStoreOptions
        {
            Root = root, Time = TimeProvider.System, Log = NullLogger<VolumeStore>.Instance, OnEvent = e => events.Add($"{e.Action} {e.Name}"),
        });
        store.Recover(found);
        return store;
    }

    private static VolumeCreateRequest Named(string name, params (string, string)[] labels) =>
        new() { Name = name, Labels = labels.ToDictionary(l => l.Item1, l => l.Item2) };
}
