using System.Net;
using System.Net.Http.Headers;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Files;

/// <summary>From the host to a container.</summary>
internal static class CopyIn
{
    /// <returns>The archive's length.</returns>
    internal static async Task<long> RunAsync(
        Invocation call, string source, string container, string destination, bool follow, bool keepOwners, CancellationToken stop)
    {
        var stat = await ContainerPath.FindAsync(call.Client, container, destination, stop);
        if (stat is { LinkTarget: { Length: > 0 } target })
        {
            destination = target;
            stat = await ContainerPath.FindAsync(call.Client, container, destination, stop);
        }

        var end = new CopyEnd(destination, stat is not null, stat is not null && ContainerPath.IsDirectory(stat));
        if (source == "-")
        {
            if (!end.IsDirectory)
                throw new CommandException($"destination \"{container}:{destination}\" must be a directory");
            await using var input = new CountingStream(call.Shell.OpenInput());
            await PutAsync(call, container, destination, keepOwners, new StreamContent(input), stop);
            return input.Count;
        }

        var path = Path.GetFullPath(source, call.Shell.Folder);
        var top = CopyPlan.Split(source is "." or ".." ? path : source).Name;
        if (follow || CopyPlan.EndsAsDirectory(source))
            path = Path.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } final ? final.FullName : path;
        if (FileOps.Status(path) is not { } status)
            throw new CommandException($"lstat {path}: no such file or directory");
        var isDirectory = status.Kind == FileKind.Directory;
        if (CopyPlan.EndsAsDirectory(source) && !isDirectory)
            throw new CommandException($"{source} is not a directory");
        var plan = CopyPlan.Of(new CopyEnd(source, true, isDirectory), end);
        // "dir/." and "." are the content of a directory: its entries have no top.
        var contentOnly = isDirectory && (source == "." || source.EndsWith("/.", StringComparison.Ordinal));
        var content = new TarContent(path, plan.TopName ?? (contentOnly ? "." : top.Length > 0 && top != ".." ? top : Path.GetFileName(path)));
        await PutAsync(call, container, plan.Directory, keepOwners, content, stop);
        return content.Written;
    }

    private static async Task PutAsync(Invocation call, string container, string folder, bool keepOwners, HttpContent content, CancellationToken stop)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        using var response = await call.Client.OpenAsync(
            HttpMethod.Put, CopyCommand.ArchivePath(container, folder, ("noOverwriteDirNonDir", "true"), ("copyUIDGID", keepOwners ? "true" : null)), content, stop);
    }

    /// <summary>A file or folder as a tar, written while it is sent.</summary>
    private sealed class TarContent(string path, string name) : HttpContent
    {
        internal long Written { get; private set; }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => Task.Run(() =>
        {
            using var parent = FileOps.OpenDirectory(Path.GetDirectoryName(path) ?? "/");
            var counted = new CountingStream(stream);
            var buffered = new BufferedStream(counted, 64 * 1024);
            new ArchiveWriter(buffered, cancellationToken).Write(parent, path == "/" ? "." : Path.GetFileName(path), name);
            buffered.Flush();
            Written = counted.Count;
        }, cancellationToken);
    }
}
