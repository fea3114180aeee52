using System.CommandLine;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Logs;

/// <summary><c>orch logs</c></summary>
internal static class ContainerLogs
{
    internal static Command Create(Shell shell)
    {
        var flags = new LogFlags();
        var name = Flags.One("CONTAINER");
        return new Command("logs", "Fetch the logs of a container").Does(shell, [.. flags.All, name], async (call, stop) =>
        {
            var path = flags.Path(call, $"/containers/{EngineClient.Name(call.Get(name))}/logs", details: false);
            using var response = await call.Client.OpenAsync(HttpMethod.Get, path, null, stop);
            await using var stream = await response.Content.ReadAsStreamAsync(stop);
            if (response.Content.Headers.ContentType?.MediaType == "application/vnd.docker.raw-stream" && await IsTerminalAsync(call, call.Get(name), stop))
                await stream.CopyToAsync(shell.RawOut, stop);
            else
                await LogFrames.CopyAsync(stream, async (kind, text) => await (kind == 2 ? shell.RawError : shell.RawOut).WriteAsync(text, stop), stop);
            return 0;
        });
    }

    /// <summary>Older daemons call both kinds of stream raw; a container with a terminal has the unframed one.</summary>
    private static async Task<bool> IsTerminalAsync(Invocation call, string name, CancellationToken stop) =>
        (await call.Client.GetAsync<Shared.Model.ContainerInspect>($"/containers/{EngineClient.Name(name)}/json", stop)).Config.Tty;
}
