using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Cli.Commands.Images;

/// <summary>A folder as the tar that a build is made from, written while it is sent; <c>.dockerignore</c> keeps files out.</summary>
internal sealed class BuildContext : HttpContent
{
    private readonly string _folder;
    private readonly string _dockerfile;
    private readonly DockerIgnore _ignore;

    /// <param name="dockerfile">Its path within the folder; it is sent even when ignored, since the daemon needs it.</param>
    internal BuildContext(string folder, string dockerfile)
    {
        if (!Directory.Exists(folder))
            throw new CommandException($"unable to prepare context: there is no folder {folder}");
        if (!File.Exists(Path.Combine(folder, dockerfile)))
            throw new CommandException($"unable to prepare context: there is no {Path.Combine(folder, dockerfile)}");
        _folder = folder;
        _dockerfile = dockerfile;
        _ignore = Ignored(folder);
        Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true);
        await WriteAsync(tar, "", cancellationToken);
    }

    /// <summary>In ordinal order, so that the same folder gives the same tar.</summary>
    private async Task WriteAsync(TarWriter tar, string below, CancellationToken stop)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(Path.Combine(_folder, below)).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(_folder, path);
            var info = new FileInfo(path);
            var isFolder = info.Attributes.HasFlag(FileAttributes.Directory) && info.LinkTarget is null;

            // A pattern with ! may let in a file below an ignored folder, so the folder is looked through all the same.
            if (!_ignore.Excludes(name) || name == _dockerfile || name == ".dockerignore")
                await WriteEntryAsync(tar, path, name, stop);
            if (isFolder)
                await WriteAsync(tar, name, stop);
        }
    }

    private static async Task WriteEntryAsync(TarWriter tar, string path, string name, CancellationToken stop)
    {
        // A socket or a device has no place in an image: opening one would block or fail.
        if (File.GetAttributes(path).HasFlag(FileAttributes.Device))
            return;
        await tar.WriteEntryAsync(path, name, stop);
    }

    private static DockerIgnore Ignored(string folder)
    {
        var path = Path.Combine(folder, ".dockerignore");
        try
        {
            return File.Exists(path) ? DockerIgnore.Parse(File.ReadAllText(path)) : DockerIgnore.Nothing;
        }
        catch (ImageException e)
        {
            throw new CommandException($"{path}: {e.Message}");
        }
    }
}
