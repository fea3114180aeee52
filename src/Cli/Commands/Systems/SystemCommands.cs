using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Logs;
using Orchestrator.Cli.Output.Templates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary><c>orch version</c>, <c>info</c> and <c>events</c>.</summary>
internal static class SystemCommands
{
    /// <summary>The Engine API that this client speaks.</summary>
    private const string ApiVersion = "1.50";

    internal static Command Version(Shell shell)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        return new Command("version", "Show the orch version information").Does(shell, [format], async (call, stop) =>
        {
            JsonElement? server = null;
            EngineUnreachableException? unreachable = null;
            try
            {
                server = await call.Client.GetJsonAsync("/version", stop);
            }
            catch (EngineUnreachableException e)
            {
                unreachable = e;
            }
            if (call.Get(format) is { Length: > 0 } template)
                await shell.Out.WriteLineAsync(Template.Parse(template == "json" ? "{{json .}}" : template).Render(Both(server)));
            else
                await shell.Out.WriteAsync(Words(server));
            if (unreachable is null)
                return 0;
            await shell.Out.FlushAsync(stop);
            throw unreachable;
        });
    }

    private static string Words(JsonElement? server)
    {
        var text = $"""
            Client: orch
             Version:           {Program.Version}
             API version:       {ApiVersion}
             OS/Arch:           linux/{Architecture}

            """;
        if (server is not { } s)
            return text;
        return text + $"""

            Server: orch
             Engine:
              Version:          {Text(s, "Version")}
              API version:      {Text(s, "ApiVersion")} (minimum version {Text(s, "MinAPIVersion")})
              OS/Arch:          {Text(s, "Os")}/{Text(s, "Arch")}
              Kernel version:   {Text(s, "KernelVersion")}

            """;
    }

    private static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static JsonElement Both(JsonElement? server)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("Client");
            writer.WriteString("Version", Program.Version);
            writer.WriteString("ApiVersion", ApiVersion);
            writer.WriteString("Os", "linux");
            writer.WriteString("Arch", Architecture);
            writer.WriteEndObject();
            writer.WritePropertyName("Server");
            if (server is { } s)
                s.WriteTo(writer);
            else
                writer.WriteNullValue();
            writer.WriteEndObject();
        }
        using var json = JsonDocument.Parse(stream.ToArray());
        return json.RootElement.Clone();
    }

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    internal static Command Info(Shell shell)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        return new Command("info", "Display system-wide information").Does(shell, [format], async (call, stop) =>
        {
            if (call.Get(format) is { Length: > 0 } template)
            {
                await shell.Out.WriteLineAsync(Template.Parse(template == "json" ? "{{json .}}" : template).Render(Typed.Of<InfoReply>(await call.Client.GetJsonAsync("/info", stop))));
                return 0;
            }
            var info = await call.Client.GetAsync<InfoReply>("/info", stop);
            await shell.Out.WriteAsync(InfoText.Write(info, call.Client.Address));
            foreach (var warning in info.Warnings)
                await shell.Error.WriteLineAsync(warning);
            return 0;
        });
    }

    internal static Command Events(Shell shell)
    {
        var filter = Flags.Filter();
        var format = Flags.Format();
        var since = Flags.Text("--since", "Show all events created since timestamp");
        var until = Flags.Text("--until", "Stream events until this timestamp");
        return new Command("events", "Get real time events from the daemon").Does(shell, [filter, format, since, until], async (call, stop) =>
        {
            var text = call.Get(format);
            var template = text is null or "" ? null : Template.Parse(text == "json" ? "{{json .}}" : text);
            var path = EngineClient.Query(
                "/events",
                ("since", TimeFlag.Unix(call.Get(since), call.Now)),
                ("until", TimeFlag.Unix(call.Get(until), call.Now)),
                ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter)))));
            using var response = await call.Client.OpenAsync(HttpMethod.Get, path, null, stop);
            await using var stream = await response.Content.ReadAsStreamAsync(stop);
            await foreach (var line in JsonLines.ReadAsync(stream, stop))
            {
                await shell.Out.WriteLineAsync(template is null
                    ? Words(line.Deserialize(ModelJson.Of<EventMessage>()) ?? new EventMessage())
                    : template.Render(Typed.Of<EventMessage>(line)));
                await shell.Out.FlushAsync(stop);
            }
            return 0;
        });
    }

    private static string Words(EventMessage e)
    {
        var ticks = e.TimeNano / TimeSpan.NanosecondsPerTick;
        var time = (ticks > 0 ? DateTimeOffset.UnixEpoch.AddTicks(ticks) : DateTimeOffset.FromUnixTimeSeconds(e.Time)).ToLocalTime();
        var nanoseconds = e.TimeNano % 1_000_000_000;
        var attributes = string.Join(", ", e.Actor.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}={a.Value}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"{time:yyyy-MM-dd'T'HH:mm:ss}.{nanoseconds:D9}{time:zzz} {e.Type} {e.Action} {e.Actor.Id}{(attributes.Length > 0 ? $" ({attributes})" : "")}");
    }
}
