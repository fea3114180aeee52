using Orchestrator.Shared.Http;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Api.Streams;

namespace Orchestrator.Worker.Api;

/// <summary>A container's own stdio: attach and the size of its terminal.</summary>
internal sealed class AttachApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("POST", "/containers/{id}/attach", AttachAsync);
        router.Map("POST", "/containers/{id}/resize", ResizeAsync);
        router.Map("GET", "/containers/{id}/attach/ws", request =>
        {
            parts.Containers.Inspect(request.Argument("id"));
            throw new ApiException(501, "orch does not attach through a WebSocket; use POST /containers/{id}/attach, which takes the connection over");
        });
    }

    private async Task AttachAsync(ApiRequest request)
    {
        var container = parts.Containers.Inspect(request.Argument("id"));
        var keys = TerminalQuery.Keys(request.Query("detachKeys"));
        var (wantsIn, wantsOut, wantsError) = (request.Flag("stdin"), request.Flag("stdout"), request.Flag("stderr"));
        var (logs, live) = (request.Flag("logs"), request.Flag("stream"));
        if (!logs && !live)
            throw new ApiException(400, "nothing to attach to: ask for logs=1, stream=1 or both");
        var framing = container.Config.Tty ? LogFraming.Raw : LogFraming.Multiplexed;
        // The seat is taken before the client hears that it has one: it starts the container then.
        await using var seat = live ? await parts.Containers.AttachAsync(container.Id, request.Stop) : null;
        var client = await request.HijackAsync(framing);
        if (logs)
            await WriteLogsAsync(container.Id, client, framing, wantsOut, wantsError);
        if (seat?.Session is not { } session)
            return;
        if (!wantsIn && !wantsOut && !wantsError)
            return;
        var tty = container.Config.Tty;
        using var stream = new StdioStream(
            client,
            new Stdio
            {
                Input = wantsIn && container.Config.OpenStdin ? session.Input : null,
                Output = session.Output,
                Error = tty ? null : session.Error,
                HidesOutput = !wantsOut,
                HidesError = !wantsError,
                Framing = framing,
                Keys = tty ? keys : null,
                CloseInput = container.Config.StdinOnce && !tty ? session.CloseInputAsync : null,
            },
            parts.Time);
        if (await stream.RunAsync() == StdioEnd.Detached)
            parts.Containers.DetachedFrom(container.Id);
    }

    private async Task WriteLogsAsync(string id, HijackedConnection client, LogFraming framing, bool stdout, bool stderr)
    {
        if (!stdout && !stderr)
            return;
        var frames = new LogFrames(client.Output, framing, timestamps: false);
        var records = parts.Containers.ReadLogsAsync(id, new LogQuery { Stdout = stdout, Stderr = stderr }, client.Stopping);
        await frames.WriteAllAsync(records, (record, frame) => frame.Write(record), client.Stopping);
        await client.Output.FlushAsync(client.Stopping);
    }

    private async Task ResizeAsync(ApiRequest request)
    {
        var (rows, columns) = TerminalQuery.Size(request);
        await parts.Containers.ResizeAsync(request.Argument("id"), rows, columns, request.Stop);
        await request.ReplyAsync(200);
    }
}
