using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Compose;
using Orchestrator.Cli.Compose.Conversion;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Stacks;

/// <summary><c>orch stack deploy</c>: read, build, send the whole stack at once, wait.</summary>
internal static class StackDeploy
{
    internal static Command Create(Shell shell)
    {
        var files = Flags.List("--compose-file", "Path to a Compose file, or \"-\" to read from stdin", "strings", "-c");
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the stack services to converge", "-d");
        var prune = Flags.Switch("--prune", "Prune services, secrets and configs that are no longer referenced");
        var quiet = Flags.Quiet("Suppress progress output");
        var resolve = Flags.Text("--resolve-image", "Query the registry to resolve image digest: only \"never\" works, since images are this cluster's own");
        var auth = Flags.Switch("--with-registry-auth", "Send registry authentication details to agents");
        var name = new Argument<string?>("STACK") { Arity = ArgumentArity.ZeroOrOne, Description = "Its name; left out, the file's 'name:'" };
        return new Command("deploy", "Deploy a new stack or update an existing stack").Also("up").Does(
            shell, [files, detach, prune, quiet, resolve, auth, name], async (call, stop) =>
        {
            if (call.Get(auth))
                throw new CommandException("--with-registry-auth does not work yet: no registry is asked for images");
            if (call.Get(resolve) is { } how and not "never")
                throw new CommandException($"--resolve-image {how} does not work yet: no registry is asked for images; 'never' is what happens");
            var file = await StackFiles.ReadAsync(shell, call.Get(files), stop);
            var stack = Name(call.Get(name) ?? file.Name);
            return await RunAsync(call, file, stack, call.Get(prune), call.Get(quiet), call.Get(detach), stop);
        });
    }

    internal static async Task<int> RunAsync(
        Invocation call, ComposeFile file, string stack, bool prune, bool quiet, bool detach, CancellationToken stop)
    {
        var output = quiet ? TextWriter.Null : call.Shell.Out;
        await BuildAsync(call, file, stack, output, stop);
        var wait = new ServiceWait(call) { Quiet = quiet };
        if (!detach)
            await wait.NoteAsync(Flags.Filters(null, ("label", $"{StackSpec.NamespaceLabel}={stack}")), stop);
        var reply = await call.Client.SendAsync<StackSpec, StackReply>(
            HttpMethod.Put, $"/orch/stacks/{EngineClient.Name(stack)}", StackConversion.Convert(file, stack, prune), stop);
        foreach (var change in reply.Changes)
            await output.WriteLineAsync(Words(change));
        await output.FlushAsync(stop);
        if (detach)
            return 0;
        List<string> services = [.. reply.Changes.Where(c => c is { Kind: "service", Action: not "removed" }).Select(c => c.Id)];
        return await call.AwaitServicesAsync(wait, services, $"orch stack ps {stack}", stop);
    }

    private static string Words(StackChange change) => change.Action switch
    {
        "created" => $"Creating {change.Kind} {change.Name}",
        "updated" => $"Updating {change.Kind} {change.Name} (id: {change.Id})",
        "removed" => $"Removing {change.Kind} {change.Name}",
        _ => $"Unchanged {change.Kind} {change.Name}",
    };

    private static async Task BuildAsync(Invocation call, ComposeFile file, string stack, TextWriter output, CancellationToken stop)
    {
        foreach (var service in file.Services)
        {
            if (service.Build is not { } build)
                continue;
            var image = StackConversion.ImageOf(service, stack);
            await output.WriteLineAsync($"Building {image} for service {service.Name}");
            try
            {
                await BuildCommand.RunAsync(call, build with { Tags = [image, .. build.Tags] }, output, stop);
            }
            catch (CommandException e)
            {
                throw new CommandException($"{build.At}: the build of service {service.Name} failed: {e.Message}");
            }
        }
    }

    private static string Name(string? name)
    {
        if (string.IsNullOrEmpty(name))
            throw new CommandException("the stack needs a name: orch stack deploy -c FILE NAME, or 'name:' in the file");
        return char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
            ? name
            : throw new CommandException($"invalid stack name: '{name}': use letters, digits, '.', '_' and '-', beginning with a letter or digit");
    }
}
