using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Cli.Commands.Demo;

/// <summary>Makes <c>busybox:latest</c> from the host's own static busybox: an archive as <c>docker save</c> writes, for <c>image load</c>.</summary>
/// <remarks>Format: docker-archive (manifest.json, a configuration, one layer), moby/moby image/spec/v1.2.md. The same busybox gives the same bytes.</remarks>
internal static class BaseImage
{
    internal const string Name = "busybox:latest";

    private const string HostBusybox = "/bin/busybox";

    internal static async Task<byte[]> ArchiveAsync(CancellationToken stop)
    {
        if (!File.Exists(HostBusybox))
            throw new CommandException($"there is no {HostBusybox} to make an image from: apt-get install busybox-static");
        return Archive(await File.ReadAllBytesAsync(HostBusybox, stop), await AppletsAsync(stop));
    }

    internal static byte[] Archive(byte[] busybox, IEnumerable<string> applets)
    {
        if (!IsStatic(busybox))
            throw new CommandException($"{HostBusybox} is not static, so it cannot run alone in an image: apt-get install busybox-static");
        var layer = Layer(busybox, applets);
        var diff = Convert.ToHexStringLower(SHA256.HashData(layer));
        var architecture = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
        var config = Encoding.UTF8.GetBytes(
            $$$"""{"architecture":"{{{architecture}}}","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Cmd":["sh"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:{{{diff}}}"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"the host's busybox"}]}""");
        var configName = Convert.ToHexStringLower(SHA256.HashData(config)) + ".json";
        var manifest = Encoding.UTF8.GetBytes($$"""[{"Config":"{{configName}}","RepoTags":["{{Name}}"],"Layers":["{{diff}}/layer.tar"]}]""");
        using var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            WriteFile(tar, $"{diff}/layer.tar", layer, "644");
            WriteFile(tar, configName, config, "644");
            WriteFile(tar, "manifest.json", manifest, "644");
        }
        return archive.ToArray();
    }

    private static byte[] Layer(byte[] busybox, IEnumerable<string> applets)
    {
        using var layer = new MemoryStream();
        using (var tar = new TarWriter(layer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (folder, mode) in new[] { ("bin", "755"), ("dev", "755"), ("etc", "755"), ("home", "755"), ("proc", "755"), ("root", "700"), ("sys", "755"), ("tmp", "1777"), ("usr", "755"), ("var", "755") })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, folder + "/") { Mode = Mode(mode), ModificationTime = DateTimeOffset.UnixEpoch });
            WriteFile(tar, "bin/busybox", busybox, "755");
            foreach (var applet in applets.Where(a => a is not ("" or "busybox")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox", Mode = Mode("777"), ModificationTime = DateTimeOffset.UnixEpoch });
            WriteFile(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"u8.ToArray(), "644");
            WriteFile(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\n"u8.ToArray(), "644");
        }
        return layer.ToArray();
    }

    private static void WriteFile(TarWriter tar, string name, byte[] content, string mode)
    {
        using var data = new MemoryStream(content);
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data, Mode = Mode(mode), ModificationTime = DateTimeOffset.UnixEpoch });
    }

    private static UnixFileMode Mode(string octal) => (UnixFileMode)Convert.ToInt32(octal, 8);

    /// <summary>A dynamic program names its loader in a PT_INTERP header (elf(5)); 64-bit little-endian is all that orch runs on.</summary>
    private static bool IsStatic(ReadOnlySpan<byte> elf)
    {
        if (elf.Length < 64 || !elf.StartsWith("\u007fELF"u8))
            return false;
        var (start, size, count) = ((int)BitConverter.ToInt64(elf[32..40]), BitConverter.ToUInt16(elf[54..56]), BitConverter.ToUInt16(elf[56..58]));
        for (var i = 0; i < count; i++)
        {
            if (BitConverter.ToUInt32(elf.Slice(start + (i * size), 4)) == 3)
                return false;
        }
        return true;
    }

    private static async Task<string[]> AppletsAsync(CancellationToken stop)
    {
        using var list = Process.Start(new ProcessStartInfo(HostBusybox, ["--list"]) { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new CommandException($"{HostBusybox} cannot be started");
        var names = await list.StandardOutput.ReadToEndAsync(stop);
        await list.WaitForExitAsync(stop);
        return names.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
