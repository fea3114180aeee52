using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Payloads;

/// <summary><c>orch secret …</c> and <c>orch config …</c></summary>
internal static class PayloadCommands
{
    internal static Command Secrets(Shell shell) => Flags.Group(
        "secret", "Manage Swarm secrets",
        Create(shell, "secret", "Create a secret from a file or STDIN as content",
            static spec => spec, static (path, spec, call, stop) => call.Client.SendAsync<SecretSpec, CreatedReply>(HttpMethod.Post, path, spec, stop)),
        InspectCommand.Of(shell, "secret", "secrets"),
        List(shell, "secret", static (call, path, stop) => call.Client.GetAsync<IReadOnlyList<Secret>>(path, stop)),
        Remove(shell, "secret"));

    internal static Command Configs(Shell shell) => Flags.Group(
        "config", "Manage Swarm configs",
        Create(shell, "config", "Create a config from a file or STDIN",
            static spec => new ConfigSpec { Name = spec.Name, Labels = spec.Labels, Data = spec.Data, Templating = spec.Templating },
            static (path, spec, call, stop) => call.Client.SendAsync<ConfigSpec, CreatedReply>(HttpMethod.Post, path, spec, stop)),
        InspectCommand.Of(shell, "config", "configs"),
        List(shell, "config", static (call, path, stop) => call.Client.GetAsync<IReadOnlyList<Config>>(path, stop)),
        Remove(shell, "config"));

    private static Listing<StoredPayload> Listing(string noun, DateTimeOffset now)
    {
        var secret = noun == "secret";
        List<Column<StoredPayload>> columns =
        [
            new("ID", "ID", p => p.Id),
            new("Name", "NAME", p => p.Content.Name),
            new("CreatedAt", "CREATED", p => Humanized.Ago(p.CreatedAt, now)),
            new("UpdatedAt", "UPDATED", p => Humanized.Ago(p.UpdatedAt, now)),
            new("Labels", "LABELS", p => Texts.Labels(p.Content.Labels)),
        ];
        if (secret)
            columns.Add(new("Driver", "DRIVER", p => (p as Secret)?.Spec.Driver?.Name ?? ""));
        return new(columns, secret ? ["ID", "Name", "Driver", "CreatedAt", "UpdatedAt"] : ["ID", "Name", "CreatedAt", "UpdatedAt"]);
    }

    private static Command List<T>(Shell shell, string noun, Func<Invocation, string, CancellationToken, Task<IReadOnlyList<T>>> get) where T : StoredPayload
    {
        var (filter, format, quiet) = (Flags.Filter(), Flags.Format(), Flags.Quiet("Only display IDs"));
        return new Command("ls", $"List {noun}s").Also("list").Does(shell, [filter, format, quiet], async (call, stop) =>
        {
            var all = await get(call, EngineClient.Query($"/{noun}s", ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter))))), stop);
            await call.WriteAsync(Listing(noun, call.Now), [.. all.OrderBy(p => p.Content.Name, StringComparer.Ordinal)], call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static Command Create<TSpec>(
        Shell shell, string noun, string what, Func<SecretSpec, TSpec> as_, Func<string, TSpec, Invocation, CancellationToken, Task<CreatedReply>> send)
        where TSpec : PayloadSpec
    {
        var label = Flags.List("--label", $"{char.ToUpperInvariant(noun[0])}{noun[1..]} labels", "list", "-l");
        var templating = Flags.Text("--template-driver", "Template driver (golang)");
        var driver = Flags.Text("--driver", "Secret driver", "string", "-d");
        driver.Hidden = true;
        var name = Flags.One(noun.ToUpperInvariant());
        var file = new Argument<string?>("FILE|-") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("create", what).Does(shell, noun == "secret" ? [driver, label, templating, name, file] : [label, templating, name, file], async (call, stop) =>
        {
            if (noun == "secret" && call.Has(driver))
                throw new CommandException("--driver does not work: orch keeps the data of a secret itself, so give a file or '-' for stdin");
            var spec = as_(new SecretSpec
            {
                Name = call.Get(name),
                Labels = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(label)),
                Data = await DataAsync(call, noun, call.Get(file), stop),
                Templating = call.Get(templating) is { } template ? new LogDriver { Name = template } : null,
            });
            var reply = await send($"/{noun}s/create", spec, call, stop);
            await call.Shell.Out.WriteLineAsync(reply.Id);
            return 0;
        });
    }

    private static async Task<byte[]> DataAsync(Invocation call, string noun, string? file, CancellationToken stop)
    {
        if (file is null)
            throw new CommandException($"the {noun} needs its data: give a file, or '-' to read stdin");
        if (file == "-")
        {
            using var buffer = new MemoryStream();
            await using var input = call.Shell.OpenInput();
            await input.CopyToAsync(buffer, stop);
            return buffer.ToArray();
        }
        var path = Path.Combine(call.Shell.Folder, file);
        if (Directory.Exists(path))
            throw new CommandException($"{file} is a folder, not a file");
        return File.Exists(path) ? await File.ReadAllBytesAsync(path, stop) : throw new CommandException($"open {file}: no such file or directory");
    }

    private static Command Remove(Shell shell, string noun)
    {
        var names = Flags.Several(noun.ToUpperInvariant());
        return new Command("rm", $"Remove one or more {noun}s").Also("remove").Does(shell, [names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                await call.Client.SendAsync(HttpMethod.Delete, $"/{noun}s/{EngineClient.Name(name)}", stop);
                await call.Shell.Out.WriteLineAsync(name);
            }));
    }
}
