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
    private static readonly Kind[] Kinds =
    [
        new("container", "/containers/{0}/json", Typed.Of<ContainerInspect>, null),
        new("image", "/images/{0}/json", Typed.Of<ImageInspect>, null),
        new("network", "/networks/{0}", Typed.Of<Network>, null),
        new("volume", "/volumes/{0}", Typed.Of<Volume>, null),
        new("node", "/nodes/{0}", Typed.Of<Node>, json => NodeText.Write(Read<Node>(json))),
        new("service", "/services/{0}", Typed.Of<Service>, json => ServiceText.Write(Read<Service>(json))),
        new("task", "/tasks/{0}", Typed.Of<ServiceTask>, null),
        new("secret", "/secrets/{0}", Typed.Of<Secret>, json => PayloadText.Write(Read<Secret>(json))),
        new("config", "/configs/{0}", Typed.Of<Config>, json => PayloadText.Write(Read<Config>(json))),
    ];

    internal static Command Of(Shell shell, string kind, string plural)
    {
        var what = Kinds.First(k => k.Name == kind);
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        // Docker has it for what lives in the cluster only.
        var pretty = Flags.Switch("--pretty", "Print the information in a human friendly format");
        var size = Size();
        var names = Flags.Several(kind.ToUpperInvariant());
        Symbol[] parts = what.Pretty is not null ? [format, pretty, names] : kind == "container" ? [format, size, names] : [format, names];
        return new Command("inspect", $"Display detailed information on one or more {plural}").Does(shell, parts, async (call, stop) =>
        {
            async Task<(Kind, JsonElement)> FindOneAsync(string name) => await FindAsync(
                call, [kind == "container" && call.Get(size) ? Sized(what) : what], kind == "node" && name == "self" ? (await call.Client.GetAsync<InfoReply>("/info", stop)).Swarm.NodeId : name, stop);

            if (what.Pretty is not { } text || !call.Has(pretty))
                return await WriteAsync(call, call.Get(names), call.Get(format), FindOneAsync);
            if (call.Has(format))
                throw new CommandException("--format is incompatible with human friendly format");
            return await call.EachAsync(call.Get(names), async name => await shell.Out.WriteLineAsync(text((await FindOneAsync(name)).Item2)));
        });
    }

    internal static Command Any(Shell shell)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        var known = string.Join(", ", Kinds.Select(k => k.Name));
        var type = Flags.Text("--type", $"Only inspect objects of the given type ({known})");
        var size = Size();
        var names = Flags.Several("NAME|ID");
        return new Command("inspect", "Return low-level information on any object").Does(shell, [format, size, type, names], (call, stop) =>
        {
            var wanted = call.Get(type);
            var kinds = wanted is null ? Kinds : [.. Kinds.Where(k => k.Name == wanted)];
            if (kinds.Length == 0)
                throw new CommandException($"\"{wanted}\" is not a valid value for --type: known are {known}");
            if (call.Get(size))
                kinds = [.. kinds.Select(k => k.Name == "container" ? Sized(k) : k)];
            return WriteAsync(call, call.Get(names), call.Get(format), name => FindAsync(call, kinds, name, stop));
        });
    }

    private static Option<bool> Size() => Flags.Switch("--size", "Display total file sizes if the type is container", "-s");

    private static Kind Sized(Kind container) => container with { Path = container.Path + "?size=1" };

    private static async Task<(Kind, JsonElement)> FindAsync(Invocation call, Kind[] kinds, string name, CancellationToken stop)
    {
        EngineException? last = null;
        foreach (var kind in kinds)
        {
            try
            {
                return (kind, await call.Client.GetJsonAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, kind.Path, EngineClient.Name(name)), stop));
            }
            catch (EngineException e) when (e.Status is 404 || (kinds.Length > 1 && e.Status is 400 or 503))
            {
                // 503: the host is in no cluster, so it has no such object either.
                last = e;
            }
        }
        throw kinds.Length == 1 ? last! : new EngineException(404, $"no such object: {name}", []);
    }

    private static async Task<int> WriteAsync(Invocation call, IReadOnlyList<string> names, string? format, Func<string, Task<(Kind Kind, JsonElement Json)>> find)
    {
        var found = new List<(Kind Kind, JsonElement Json)>();
        var template = format is null or "" or "json" ? null : Template.Parse(
            format.Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        var code = await call.EachAsync(names, async name => found.Add(await find(name)));
        if (template is not null)
        {
            foreach (var (kind, json) in found)
                await call.Shell.Out.WriteLineAsync(template.Render(kind.Type(json)));
            return code;
        }
        await call.Shell.Out.WriteLineAsync(Text([.. found.Select(f => f.Json)], indented: format is null or ""));
        return code;
    }

    private static T Read<T>(JsonElement json) => json.Deserialize(ModelJson.Of<T>()) ?? throw new InvalidDataException($"the daemon answered null for a {typeof(T).Name}");

    /// <param name="Type">Tells templates which fields there are.</param>
    /// <param name="Pretty">For people; null where docker has no such form.</param>
    private sealed record Kind(string Name, string Path, Func<JsonElement, Typed> Type, Func<JsonElement, string>? Pretty);

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
