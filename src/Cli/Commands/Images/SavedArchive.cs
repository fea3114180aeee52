using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Images;

/// <summary>Where <c>save</c> and <c>export</c> write: a file, which is whole or not there, or standard output.</summary>
internal static class SavedArchive
{
    /// <param name="call">Whose flags and folder.</param>
    /// <param name="output">The file; null is standard output.</param>
    /// <param name="open">Asks for the archive; not called when there is nowhere to write it.</param>
    /// <param name="stop">Leaves no file behind.</param>
    /// <exception cref="CommandException">The output is a terminal, or lies in no folder.</exception>
    internal static async Task WriteAsync(Invocation call, string? output, Func<Task<HttpResponseMessage>> open, CancellationToken stop)
    {
        if (output is null && call.Shell.IsTerminal)
            throw new CommandException("cowardly refusing to save to a terminal. Use the -o flag or redirect");
        var path = output is null ? null : Path.GetFullPath(output, call.Shell.Folder);
        if (path is not null && (Directory.Exists(path) || !Directory.Exists(Path.GetDirectoryName(path))))
            throw new CommandException($"invalid output path '{output}': {(Directory.Exists(path) ? "it is a directory" : "its directory does not exist")}; name a file in a directory that is there");
        using var response = await open();
        await using var archive = await response.Content.ReadAsStreamAsync(stop);
        if (path is null)
        {
            await archive.CopyToAsync(call.Shell.RawOut, stop);
            return;
        }

        // A device, a pipe or a link is written to as it is; a file appears when it is complete.
        if (FileOps.Status(path) is { Kind: not FileKind.Regular })
        {
            await using var there = new FileStream(path, FileMode.Create, FileAccess.Write);
            await archive.CopyToAsync(there, stop);
            return;
        }

        var partial = $"{path}.partial-{Environment.ProcessId}";
        try
        {
            await using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write))
                await archive.CopyToAsync(file, stop);
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }
}
