using System.Text;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Api.Streams;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Execs;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Api;

/// <summary><c>/exec</c>: further programs in containers.</summary>
internal sealed class ExecApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("POST", "/containers/{id}/exec", CreateAsync);
        router.Map("POST", "/exec/{id}/start", StartAsync);
        router.Map("POST", "/exec/{id}/resize", ResizeAsync);
        router.Map("GET", "/exec/{id}/json", request => request.ReplyAsync(parts.Containers.InspectExec(request.Argument("id"))));
    }

    private async Task CreateAsync(ApiRequest request)
    {
        // Detach is the stock client's own, sent along without meaning.
        var wanted = await request.WholeBodyAsync<ExecCreateRequest>("Detach");
        TerminalQuery.Keys(wanted.DetachKeys);
        await request.ReplyAsync(new ContainerCreateReply { Id = parts.Containers.CreateExec(request.Argument("id"), wanted) }, 201);
    }

    private async Task StartAsync(ApiRequest request)
    {
        var wanted = await request.BodyAsync<ExecStartRequest>();
        var id = request.Argument("id");
        if (parts.Containers.FindExec(id).Request is { AttachStdin: false, AttachStdout: false, AttachStderr: false, Tty: false })
            wanted = wanted with { Detach = true };
        var exec = parts.Containers.BeginExec(id);
        if (wanted.Detach)
        {
            await parts.Containers.StartExecAsync(exec, wanted.ConsoleSize, detached: true, request.Stop);
            await request.ReplyAsync(200);
            return;
        }

        var framing = exec.Request.Tty ? LogFraming.Raw : LogFraming.Multiplexed;
        try
        {
            var client = await request.HijackAsync(framing);
            var session = await StartAttachedAsync(exec, wanted, client, framing);
            if (session is not null)
                await ServeAsync(exec, session, client, framing);
        }
        finally
        {
            exec.Release();
        }
    }

    /// <summary>What a program that cannot be started has to say comes in its place, as Docker does; its code stands in the exec.</summary>
    private async Task<IExecSession?> StartAttachedAsync(Exec exec, ExecStartRequest wanted, HijackedConnection client, LogFraming framing)
    {
        try
        {
            return await parts.Containers.StartExecAsync(exec, wanted.ConsoleSize, detached: false, client.Stopping);
        }
        catch (ContainerStartException e)
        {
            await using var text = new MemoryStream(Encoding.UTF8.GetBytes(e.Message + "\r\n"));
            using var words = new StdioStream(client, new Stdio { Output = framing == LogFraming.Raw ? text : null, Error = framing == LogFraming.Raw ? null : text, Framing = framing }, parts.Time);
            await words.RunAsync();
            return null;
        }
    }

    private async Task ServeAsync(Exec exec, IExecSession session, HijackedConnection client, LogFraming framing)
    {
        var tty = exec.Request.Tty;
        using var stream = new StdioStream(
            client,
            new Stdio
            {
                Input = session.Input,
                Output = session.Output,
                Error = session.Error,
                Framing = framing,
                Keys = tty ? TerminalQuery.Keys(exec.Request.DetachKeys) : null,
                CloseInput = tty ? null : session.CloseInputAsync,
                ProgramEnded = exec.Done,
            },
            parts.Time);
        var end = await stream.RunAsync();
        // Who waits for the end learns it before what is left of the exec is cleared away.
        await client.Output.CompleteAsync();
        await Task.Yield(); // the closing stands in the pool's queue, and this goes behind it
        if (end == StdioEnd.Detached)
            parts.Containers.DetachedFromExec(exec);
    }

    private async Task ResizeAsync(ApiRequest request)
    {
        var (rows, columns) = TerminalQuery.Size(request);
        await parts.Containers.ResizeExecAsync(request.Argument("id"), rows, columns);
        await request.ReplyAsync(200);
    }
}
