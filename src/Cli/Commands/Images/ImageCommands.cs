using System.CommandLine;
using System.Net.Http.Headers;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Systems;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Images;

/// <summary><c>orch image …</c> and its short forms.</summary>
internal static class ImageCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "image", "Manage images",
        BuildCommand.Create(shell), History(shell), Import(shell), InspectCommand.Of(shell, "image", "images"), Load(shell),
        List(shell, "ls").Also("list"), Prune(shell), Remove(shell, "rm").Also("remove"), Save(shell), Tag(shell));

    internal static Command List(Shell shell, string name)
    {
        var all = Flags.Switch("--all", "Show all images (default hides intermediate images)", "-a");
        var digests = Flags.Switch("--digests", "Show digests");
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only show image IDs"));
        var reference = new Argument<string?>("REPOSITORY[:TAG]") { Arity = ArgumentArity.ZeroOrOne };
        return new Command(name, "List images").Does(shell, [all, digests, filter, format, noTrunc, quiet, reference], async (call, stop) =>
        {
            var filters = call.Get(reference) is { } wanted ? Flags.Filters(call.Get(filter), ("reference", wanted)) : Flags.Filters(call.Get(filter));
            var images = await call.Client.GetAsync<IReadOnlyList<ImageSummary>>(
                EngineClient.Query("/images/json", ("all", call.Get(all) ? "1" : null), ("filters", EngineClient.Filters(filters))), stop);
            var rows = images.OrderByDescending(i => i.Created).SelectMany(ImageRow.Of).ToList();
            if (call.Get(quiet))
                rows = [.. rows.DistinctBy(r => r.Image.Id)];
            await call.WriteAsync(ImageRow.Listing(call.Get(noTrunc), call.Get(digests), call.Now), rows, call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    internal static Command Remove(Shell shell, string name)
    {
        var force = Flags.Switch("--force", "Force removal of the image", "-f");
        var noPrune = Flags.Switch("--no-prune", "Do not delete untagged parents");
        var names = Flags.Several("IMAGE");
        return new Command(name, "Remove one or more images").Does(shell, [force, noPrune, names], (call, stop) =>
            call.EachAsync(call.Get(names), async image =>
            {
                using var response = await call.Client.OpenAsync(
                    HttpMethod.Delete,
                    EngineClient.Query($"/images/{EngineClient.Name(image)}", ("force", call.Get(force) ? "1" : null), ("noprune", call.Get(noPrune) ? "1" : null)),
                    null,
                    stop);
                foreach (var item in ModelJson.Read<IReadOnlyList<ImageDeleteItem>>(await response.Content.ReadAsByteArrayAsync(stop)))
                    await call.Shell.Out.WriteLineAsync(item.Untagged is { } untagged ? $"Untagged: {untagged}" : $"Deleted: {item.Deleted}");
            }));
    }

    internal static Command Tag(Shell shell)
    {
        var source = Flags.One("SOURCE_IMAGE[:TAG]");
        var target = Flags.One("TARGET_IMAGE[:TAG]");
        return new Command("tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE").Does(shell, [source, target], async (call, stop) =>
        {
            var (repository, tag) = Split(call.Get(target));
            await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query($"/images/{EngineClient.Name(call.Get(source))}/tag", ("repo", repository), ("tag", tag)), stop);
            return 0;
        });
    }

    private static (string Repository, string? Tag) Split(string image)
    {
        var colon = image.LastIndexOf(':');
        return colon > image.LastIndexOf('/') ? (image[..colon], image[(colon + 1)..]) : (image, null);
    }

    internal static Command History(Shell shell)
    {
        var (format, noTrunc, quiet) = (Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only show image IDs"));
        var human = new Option<bool>("--human", "-H") { Description = "Print sizes and dates in human readable format", DefaultValueFactory = _ => true };
        var name = Flags.One("IMAGE");
        return new Command("history", "Show the history of an image").Does(shell, [format, human, noTrunc, quiet, name], async (call, stop) =>
        {
            var items = await call.Client.GetAsync<IReadOnlyList<ImageHistoryItem>>($"/images/{EngineClient.Name(call.Get(name))}/history", stop);
            var (whole, now) = (call.Get(noTrunc), call.Now);
            var listing = new Listing<ImageHistoryItem>(
                [
                    new("ID", "IMAGE", i => Texts.Id(i.Id, whole)),
                    new("CreatedSince", call.Get(human) ? "CREATED" : "CREATED AT", i => call.Get(human)
                        ? Humanized.Ago(DateTimeOffset.FromUnixTimeSeconds(i.Created), now)
                        : $"{DateTimeOffset.FromUnixTimeSeconds(i.Created):yyyy-MM-dd'T'HH:mm:ss'Z'}"),
                    new("CreatedBy", "CREATED BY", i => !whole && i.CreatedBy.Length > 45 ? i.CreatedBy[..44] + "…" : i.CreatedBy),
                    new("Size", "SIZE", i => call.Get(human) ? Humanized.Size(i.Size) : i.Size.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                    new("Comment", "COMMENT", i => i.Comment),
                ],
                ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"]);
            await call.WriteAsync(listing, items, call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    internal static Command Save(Shell shell)
    {
        var output = Flags.Text("--output", "Write to a file, instead of STDOUT", "string", "-o");
        var names = Flags.Several("IMAGE");
        return new Command("save", "Save one or more images to a tar archive (streamed to STDOUT by default)").Does(shell, [output, names], async (call, stop) =>
        {
            var path = EngineClient.Query("/images/get", [.. call.Get(names).Select(n => ("names", (string?)n))]);
            await SavedArchive.WriteAsync(call, call.Get(output), () => call.Client.OpenAsync(HttpMethod.Get, path, null, stop), stop);
            return 0;
        });
    }

    internal static Command Load(Shell shell)
    {
        var input = Flags.Text("--input", "Read from tar archive file, instead of STDIN", "string", "-i");
        var quiet = Flags.Quiet("Suppress the load output");
        return new Command("load", "Load an image from a tar archive or STDIN").Does(shell, [input, quiet], async (call, stop) =>
        {
            await using var archive = Open(call, call.Get(input) ?? "-");
            using var response = await call.Client.OpenAsync(
                HttpMethod.Post, EngineClient.Query("/images/load", ("quiet", call.Get(quiet) ? "1" : "0")), Tar(archive), stop);
            await ProgressStream.WriteAsync(response, call.Shell.Out, stop);
            return 0;
        });
    }

    internal static Command Import(Shell shell)
    {
        var change = Flags.List("--change", "Apply Dockerfile instruction to the created image", "list", "-c");
        var message = Flags.Text("--message", "Set commit message for imported image", "string", "-m");
        var source = Flags.One("file|-");
        var name = new Argument<string?>("REPOSITORY[:TAG]") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("import", "Import the contents from a tarball to create a filesystem image").Does(shell, [change, message, source, name], async (call, stop) =>
        {
            if (call.Get(source).Contains("://", StringComparison.Ordinal))
                throw new CommandException($"'{call.Get(source)}' is a URL: only files and '-' can be imported");
            await using var archive = Open(call, call.Get(source));
            var (repository, tag) = call.Get(name) is { } given ? Split(given) : (null, null);
            var path = EngineClient.Query("/images/create",
                [("fromSrc", "-"), ("repo", repository), ("tag", tag), ("message", call.Get(message)), .. (call.Get(change) ?? []).Select(c => ("changes", (string?)c))]);
            using var response = await call.Client.OpenAsync(HttpMethod.Post, path, Tar(archive), stop);
            await ProgressStream.WriteAsync(response, call.Shell.Out, stop);
            return 0;
        });
    }

    private static Command Prune(Shell shell)
    {
        var all = Flags.Switch("--all", "Remove all unused images, not just dangling ones", "-a");
        var force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        var filter = Flags.List("--filter", "Provide filter values (e.g. \"until=<timestamp>\")", "filter");
        return new Command("prune", "Remove unused images").Does(shell, [all, force, filter], async (call, stop) =>
        {
            if (!call.Get(force) && !await Consent.IsGivenAsync(call, $"WARNING! This will remove all {(call.Get(all) ? "images without at least one container associated to them" : "dangling images")}.", stop))
                return 0;
            var filters = Flags.Filters(call.Get(filter), ("dangling", call.Get(all) ? "false" : "true"));
            var pruned = await Pruning.ImagesAsync(call, filters, stop);
            await pruned.WriteAsync(call);
            await call.Shell.Out.WriteLineAsync($"Total reclaimed space: {Humanized.Size(pruned.Bytes)}");
            return 0;
        });
    }

    private static Stream Open(Invocation call, string path)
    {
        if (path == "-")
            return call.Shell.OpenInput();
        var full = Path.Combine(call.Shell.Folder, path);
        return File.Exists(full) ? File.OpenRead(full) : throw new CommandException($"open {path}: no such file or directory");
    }

    private static StreamContent Tar(Stream archive) => new(archive) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-tar") } };
}
