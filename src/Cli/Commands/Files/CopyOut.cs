using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Files;

/// <summary>From a container to the host.</summary>
internal static class CopyOut
{
    /// <returns>The archive's length.</returns>
    internal static async Task<long> RunAsync(Invocation call, string container, string source, string destination, bool follow, CancellationToken stop)
    {
        string? rebased = null;
        if (follow && await ContainerPath.FindAsync(call.Client, container, source, stop) is { LinkTarget: { Length: > 0 } target })
            (rebased, source) = (CopyPlan.Split(source).Name, target);
        if (destination != "-")
            CheckParent(Local(call, destination), destination);

        using var response = await call.Client.OpenAsync(HttpMethod.Get, CopyCommand.ArchivePath(container, source), null, stop);
        await using var body = await response.Content.ReadAsStreamAsync(stop);
        if (destination == "-")
        {
            if (call.Shell.IsTerminal)
                throw new CommandException("the archive would go to the terminal: redirect the output, as in: orch cp CONTAINER:PATH - > FILE.tar");
            await body.CopyToAsync(call.Shell.RawOut, stop);
            return 0;
        }

        var stat = ContainerPath.Read(response);
        var to = Local(call, destination);
        // An archive of a directory's content, "dir/.", has no top to rename: it goes into a directory of the new name.
        var plan = CopyPlan.Of(new CopyEnd(source, true, ContainerPath.IsDirectory(stat)), new CopyEnd(to, Path.Exists(to), Directory.Exists(to)));
        if (stat.Name == "." && plan.TopName is { } folder)
            plan = new CopyPlan(Directory.CreateDirectory(Path.Combine(plan.Directory, folder)).FullName, null);
        return await Task.Run(() => Unpack(body, plan, rebased, stop), stop);
    }

    private static long Unpack(Stream body, CopyPlan plan, string? rebased, CancellationToken stop)
    {
        using var root = FileOps.OpenDirectory(plan.Directory);
        using var counted = new CountingStream(body);
        using var buffered = new BufferedStream(counted, 64 * 1024);
        using var reader = new ArchiveReader(
            new RootedPaths(root), "", new ExtractOptions { KeepKinds = true, OwnerIsCaller = true, TopName = plan.TopName ?? rebased });
        try
        {
            reader.Read(new TarScanner(buffered), stop);
        }
        catch (Exception e) when (e is ImageException or InvalidContainerException)
        {
            throw new CommandException(e.Message);
        }

        return counted.Count;
    }

    /// <summary>Absolute, with what the path's end says of a directory.</summary>
    internal static string Local(Invocation call, string path)
    {
        var full = Path.GetFullPath(path, call.Shell.Folder);
        return CopyPlan.EndsAsDirectory(path) && !full.EndsWith('/') ? full + "/" : full;
    }

    private static void CheckParent(string path, string written)
    {
        var parent = Path.GetDirectoryName(path.TrimEnd('/')) ?? "/";
        if (!Directory.Exists(parent))
            throw new CommandException($"invalid output path: directory \"{Path.GetDirectoryName(written.TrimEnd('/'))}\" does not exist");
    }
}
