using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Containers.Creation;
using Orchestrator.Cli.Commands.Terminals;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>Sitting at a container's stdio: attached first and started then, so that no output is missed, until it ends or we leave.</summary>
internal sealed record Seating
{
    public required AttachedStreams Streams { get; init; }
    public bool Tty { get; init; }
    public DetachKeys? Keys { get; init; }
    public string? KeysText { get; init; }

    /// <summary>Signals of ours go to the container's program; with a terminal its keys do that.</summary>
    public bool Proxies { get; init; }

    /// <summary>The container goes with its end, so its exit code is there only while it goes.</summary>
    public bool Removed { get; init; }

    internal static DetachKeys ReadKeys(string? text)
    {
        var (keys, error) = DetachKeys.Parse(text);
        return keys ?? throw new CommandException(error!);
    }

    internal static void CheckTerminal(Shell shell, bool tty)
    {
        if (tty && !shell.InputIsTerminal)
            throw new CommandException("the input device is not a TTY: cannot attach stdin to a TTY-enabled container because stdin is not a terminal; leave -t or -i out");
    }

    internal static Task BeginAsync(Invocation call, string id, CancellationToken stop) =>
        call.Client.SendAsync(HttpMethod.Post, $"/containers/{EngineClient.Name(id)}/start", stop);

    /// <summary>Starts a container that was made; the answer is its program's exit code, or 0 when we left.</summary>
    internal async Task<int> StartAsync(Invocation call, string id, CancellationToken stop)
    {
        await using var connection = await TakeAsync(call, id, stop);
        using var waiting = await WaitAsync(call, id, Removed ? "removed" : "next-exit", stop);
        // A signal while it starts is its own too.
        await using var proxy = Proxies && !Tty ? new SignalProxy(call, id) : null;
        var patience = proxy is null ? stop : CancellationToken.None;
        await BeginAsync(call, id, patience);
        return await SitAsync(call, connection, id, patience) ? 0 : await CodeAsync(waiting, patience);
    }

    /// <summary>Joins a container that runs.</summary>
    internal async Task<int> JoinAsync(Invocation call, string id, CancellationToken stop)
    {
        await using var connection = await TakeAsync(call, id, stop);
        using var waiting = await WaitAsync(call, id, "not-running", stop);
        await using var proxy = Proxies && !Tty ? new SignalProxy(call, id) : null;
        var patience = proxy is null ? stop : CancellationToken.None;
        if (await SitAsync(call, connection, id, patience, redraws: true))
            return 0;
        // Its output is over: it ends, or our input ended where that means leaving.
        var inspected = await InspectAsync(call, id, patience);
        return inspected is { State.Running: true, Config: { OpenStdin: true } } && !inspected.Config.StdinOnce ? 0 : await CodeAsync(waiting, patience);
    }

    private Task<TakenConnection> TakeAsync(Invocation call, string id, CancellationToken stop) => call.Client.TakeAsync(
        EngineClient.Query(
            $"/containers/{EngineClient.Name(id)}/attach",
            ("stream", "1"), ("stdin", Streams.Stdin ? "1" : null), ("stdout", Streams.Stdout ? "1" : null), ("stderr", Streams.Stderr ? "1" : null),
            ("detachKeys", KeysText)),
        [], stop);

    private async Task<bool> SitAsync(Invocation call, TakenConnection connection, string id, CancellationToken stop, bool redraws = false)
    {
        await using var window = Tty && call.Shell.IsTerminal ? new WindowSize(call.Client, $"/containers/{EngineClient.Name(id)}/resize", redraws) : null;
        return await new StdioSession(call.Shell, connection, Tty, Streams.Stdin, Tty ? Keys : null).RunAsync(stop);
    }

    /// <summary>The daemon answers the head at once: the wait has begun when this returns.</summary>
    private static Task<HttpResponseMessage> WaitAsync(Invocation call, string id, string condition, CancellationToken stop) =>
        call.Client.OpenAsync(HttpMethod.Post, EngineClient.Query($"/containers/{EngineClient.Name(id)}/wait", ("condition", condition)), null, stop);

    private static async Task<int> CodeAsync(HttpResponseMessage waiting, CancellationToken stop)
    {
        var reply = ModelJson.Read<ContainerWaitReply>(await waiting.Content.ReadAsByteArrayAsync(stop));
        return reply.Error is { Message.Length: > 0 } error ? throw new EngineException(500, error.Message, []) : (int)reply.StatusCode;
    }

    private static async Task<ContainerInspect?> InspectAsync(Invocation call, string id, CancellationToken stop)
    {
        try
        {
            return await call.Client.GetAsync<ContainerInspect>($"/containers/{EngineClient.Name(id)}/json", stop);
        }
        catch (EngineException e) when (e.Status == 404)
        {
            return null;
        }
    }
}
