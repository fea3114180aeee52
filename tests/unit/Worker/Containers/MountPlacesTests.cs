using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Unit.Worker.Containers;

public sealed class MountPlacesTests : IDisposable
{
    private static readonly string[] Places = ["/proc", "/dev", "/dev/pts", "/etc/hosts", "/etc/resolv.conf"];
    private readonly string root = Directory.CreateTempSubdirectory("orch-places-").FullName;

    private string Upper => Path.Combine(root, "upper");

    private string Lower => Path.Combine(root, "lower");

    private string Outside => Path.Combine(root, "outside");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Places_that_the_image_did_not_have_go_with_what_is_empty_above_them()
    {
        Make(Upper, "proc/", "dev/", "etc/hosts", "etc/resolv.conf", "made");
        Make(Lower, "bin/");
        Remove();
        Assert.Equal(["made"], Left());
    }

    [Fact]
    public void What_the_step_wrote_beside_them_stays()
    {
        Make(Upper, "dev/", "etc/hosts", "etc/mine");
        Make(Lower, "bin/");
        File.WriteAllText(Path.Combine(Upper, "etc/resolv.conf"), "the step's own");
        Remove();
        Assert.Equal(["etc", "etc/mine", "etc/resolv.conf"], Left());
    }

    [Fact]
    public void A_directory_that_was_copied_up_for_a_place_goes_unless_the_step_changed_it()
    {
        Make(Upper, "etc/hosts", "dev/");
        Make(Lower, "etc/passwd", "dev/");
        File.SetUnixFileMode(Path.Combine(Lower, "dev"), UnixFileMode.UserRead);
        Remove();
        Assert.Equal(["dev"], Left());
    }

    [Fact]
    public void Links_of_the_step_are_not_followed()
    {
        Make(Outside, "hosts");
        Make(Lower, "bin/");
        Directory.CreateDirectory(Upper);
        File.CreateSymbolicLink(Path.Combine(Upper, "etc"), Outside);
        File.CreateSymbolicLink(Path.Combine(Upper, "proc"), Outside);
        Remove();
        Assert.Equal(["etc", "proc"], Left());
        Assert.True(File.Exists(Path.Combine(Outside, "hosts")));
    }

    private void Remove() => MountPlaces.Remove(Upper, [Lower], Places);

    private string[] Left() => [.. Walk(Upper).Select(p => Path.GetRelativePath(Upper, p)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Walk(string folder) => Directory.EnumerateFileSystemEntries(folder)
        .SelectMany(p => Directory.Exists(p) && new FileInfo(p).LinkTarget is null ? Walk(p).Prepend(p) : [p]);

    private static void Make(string under, params string[] names)
    {
        foreach (var name in names)
        {
            var path = Path.Combine(under, name);
            Directory.CreateDirectory(name.EndsWith('/') ? path : Path.GetDirectoryName(path)!);
            if (!name.EndsWith('/'))
                File.WriteAllText(path, "");
        }
    }
}
