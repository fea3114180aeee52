using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Output.Templates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Inspection;

/// <summary><c>orch inspect</c> for any object, and <c>orch KIND inspect</c> for one kind.</summary>
internal static class InspectCommand
{
    /// <summary>In the order in which docker looks.</summary>
    private static readonly (string Kind, string Path)[] Kinds =
        [("container", "containers/{0}/json"), ("image", "images/{0}/json"), ("network", "networks/{0}"), ("volume", "volumes/{0}"), ("node", "nodes/{0}"), ("service", "services/{0}"), ("task", "tasks/{0}")];

    internal static Command Of(Shell shell, string kind, string plural)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        // Docker has it for what lives in the cluster only.
        var pretty = Flags.Switch("--pretty", "Print the information in a human friendly format");
        pretty.Hidden = true;
        var names = Flags.Several(kind.ToUpperInvariant());
        var path = kind is "container" or "image" ? plural + "/{0}/json" : plural + "/{0}";
        return new Command("inspect", $"Display detailed information on one or more {plural}").Does(shell, kind is "node" or "service" ? [format, pretty, names] : [format, names], (call, stop) =>
        {
            if (call.Has(pretty))
                throw new CommandException($"--pretty does not work yet: leave it out for JSON, or choose fields, as in: orch {kind} inspect --format '{{{{json .Spec}}}}' NAME");
            return WriteAsync(call, call.Get(names), call.Get(format), async name =>
                await FindAsync(call, [(kind, path)], kind == "node" && name == "self" ? (await call.Client.GetAsync<InfoReply>("/info", stop)).Swarm.NodeId : name, stop));
        });
    }

    internal static Command Any(Shell shell)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        var type = Flags.Text("--type", "Only inspect objects of the given type (container, image, network, volume, node, service, task)");
        var names = Flags.Several("NAME|ID");
        return new Command("inspect", "Return low-level information on any object").Does(shell, [format, type, names], (call, stop) =>
        {
            var wanted = call.Get(type);
            var kinds = wanted is null ? Kinds : [.. Kinds.Where(k => k.Kind == wanted)];
            if (kinds.Length == 0)
                throw new CommandException($"\"{wanted}\" is not a valid value for --type: known are {string.Join(", ", Kinds.Select(k => k.Kind))}");
            return WriteAsync(call, call.Get(names), call.Get(format), name => FindAsync(call, kinds, name, stop));
        });
    }

    private static async Task<JsonElement> FindAsync(Invocation call, (string Kind, string Path)[] kinds, string name, CancellationToken stop)
    {
        EngineException? last = null;
        foreach (var (_, path) in kinds)
        {
            try
            {
                return await call.Client.GetJsonAsync("/" + string.Format(System.Globalization.CultureInfo.InvariantCulture, path, EngineClient.Name(name)), stop);
            }
            catch (EngineException e) when (e.Status is 404 || (kinds.Length > 1 && e.Status is 400 or 503))
            {
                // 503: the host is in no cluster, so it has no such object either.
                last = e;
            }
        }
        throw kinds.Length == 1 ? last! : new EngineException(404, $"no such object: {name}", []);
    }

    private static async Task<int> WriteAsync(Invocation call, IReadOnlyList<string> names, string? format, Func<string, Task<JsonElement>> find)
    {
        var found = new List<JsonElement>();
        var template = format is null or "" or "json" ? null : Template.Parse(
            format.Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        var code = await call.EachAsync(names, async name => found.Add(await find(name)));
        if (template is not null)
        {
            foreach (var item in found)
                await call.Shell.Out.WriteLineAsync(template.Render(item));
            return code;
        }
        await call.Shell.Out.WriteLineAsync(Text(found, indented: format is null or ""));
        return code;
    }

    private static string Text(List<JsonElement> items, bool indented)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = indented, IndentSize = indented ? 4 : 0, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartArray();
            foreach (var item in items)
                item.WriteTo(writer);
            writer.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
