using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>Image archives made in memory, since no registry can be reached: busybox with its applets, and anything from given files.</summary>
internal static class TestImages
{
    private const string BusyboxPath = "/bin/busybox";

    private static readonly Lazy<ImmutableArray<(TarEntry, byte[])>> _busyboxFiles = new(BusyboxFiles);

    /// <summary>A docker-archive of the host's static busybox (Debian package busybox-static); skips the test when there is none.</summary>
    internal static byte[] Busybox(string tag = "busybox:latest")
    {
        if (!File.Exists(BusyboxPath))
            Assert.Skip($"{BusyboxPath} is missing: install the package busybox-static");
        return Archive(tag, new() { Cmd = ["sh"], Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] }, _busyboxFiles.Value);
    }

    /// <summary>Busybox and its applets, to lay other layers upon.</summary>
    internal static IReadOnlyList<(TarEntry Entry, byte[] Content)> BusyboxLayer => _busyboxFiles.Value;

    /// <summary>A docker-archive of one image with the layers given, bottom first; no name when <paramref name="tag"/> is null.</summary>
    internal static byte[] Archive(string? tag, ImageConfig config, params IReadOnlyList<(TarEntry Entry, byte[] Content)>[] layers)
    {
        var tars = layers.Select(Tar).ToList();
        var document = new ImageDocument
        {
            Architecture = HostPlatform.Architecture,
            Os = HostPlatform.Os,
            Created = DateTimeOffset.UnixEpoch,
            Config = config,
            Rootfs = new() { DiffIds = [.. tars.Select(t => Digests.Of(SHA256.HashData(t)))] },
            History = [.. tars.Select(_ => new ImageHistoryEntry { CreatedBy = "test" })],
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(document, ImageJson.Default.ImageDocument);
        var id = Convert.ToHexStringLower(SHA256.HashData(json));
        var listed = new DockerArchiveImage
        {
            Config = id + ".json",
            RepoTags = tag is null ? null : [tag],
            Layers = [.. tars.Select((_, i) => $"layer{i}/layer.tar")],
        };
        return Tar(
        [
            .. tars.Select((t, i) => BinaryFile($"layer{i}/layer.tar", t)),
            BinaryFile(id + ".json", json),
            BinaryFile("manifest.json", JsonSerializer.SerializeToUtf8Bytes([listed], OciContentJson.Default.ImmutableArrayDockerArchiveImage)),
        ]);
    }

    /// <summary>A text file; <paramref name="mode"/> as in chmod, for example <c>"755"</c>.</summary>
    internal static (TarEntry Entry, byte[] Content) TextFile(string name, string text, string mode = "644") =>
        BinaryFile(name, Encoding.UTF8.GetBytes(text), mode);

    internal static (TarEntry Entry, byte[] Content) BinaryFile(string name, byte[] content, string mode = "644") =>
        (new() { Name = name, Kind = TarKind.Regular, Mode = Convert.ToUInt32(mode, 8), Size = content.Length }, content);

    internal static (TarEntry Entry, byte[] Content) Folder(string name, string mode = "755") =>
        (new() { Name = name + "/", Kind = TarKind.Directory, Mode = Convert.ToUInt32(mode, 8) }, []);

    internal static (TarEntry Entry, byte[] Content) Symlink(string name, string target) =>
        (new() { Name = name, Kind = TarKind.Symlink, LinkName = target, Mode = 0x1ff }, []);

    /// <summary>A plain tar of the entries, as a layer, a build context or a root file system.</summary>
    internal static byte[] Tar(IReadOnlyList<(TarEntry Entry, byte[] Content)> entries)
    {
        using var bytes = new MemoryStream();
        var tar = new TarComposer(bytes);
        foreach (var (entry, content) in entries)
            tar.Write(entry, new MemoryStream(content));
        tar.Finish();
        return bytes.ToArray();
    }

    private static ImmutableArray<(TarEntry, byte[])> BusyboxFiles()
    {
        using var list = Process.Start(new ProcessStartInfo(BusyboxPath, "--list") { UseShellExecute = false, RedirectStandardOutput = true })!;
        var applets = list.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        list.WaitForExit();
        return
        [
            Folder("bin"), BinaryFile("bin/busybox", File.ReadAllBytes(BusyboxPath), "755"),
            .. applets.Where(a => a != "busybox").Select(a => Symlink($"bin/{a}", "busybox")),
            Folder("dev"), Folder("etc"),
            TextFile("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
            TextFile("etc/group", "root:x:0:\nwww:x:33:\nnogroup:x:65534:\n"),
            Folder("proc"), Folder("root", "700"), Folder("sys"), Folder("tmp", "1777"), Folder("usr"), Folder("var"), Folder("var/www"),
        ];
    }
}
