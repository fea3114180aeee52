using System.Text.Json;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Execs: the shim starts them and tells their ends, this process holds what they read and write.</summary>
internal sealed partial class ShimRuntime
{
    /// <summary>Waits for all that comes from programs. Made when first needed: a daemon without sessions has no such thread.</summary>
    private EventLoop? loop;

    private readonly Lock guard = new();

    private EventLoop Sessions
    {
        get
        {
            lock (guard)
                return loop ??= new EventLoop(Died);
        }
    }

    /// <summary>Its sessions fail with it; the next one gets another.</summary>
    private void Died(Exception error)
    {
        log?.LoopDied(error);
        lock (guard)
            loop = null;
    }

    public async Task<IExecSession> ExecAsync(string id, ExecLaunch launch, CancellationToken stop)
    {
        var request = new ShimMessage(JsonSerializer.SerializeToUtf8Bytes(new ExecRequest(id, launch), RuntimeJson.Default.ExecRequest)) { RepliesInline = true };
        var following = new CancellationTokenSource();
        var answers = shim.ExchangeAsync(RuntimeService.ServiceName, RuntimeService.Exec, request, following.Token).GetAsyncEnumerator(CancellationToken.None);
        try
        {
            // The request is given up when the caller gives up, but once started the exec is the session's.
            await using var giveUp = stop.Register(following.Cancel);
            if (!await NextAsync(answers))
                throw new RuntimeException($"exec in {id}: the shim answered nothing.") { ExitCode = 126 };
            var first = answers.Current;
            var started = Parse(first.Payload).Exec ?? throw new RuntimeException($"exec in {id}: the shim did not say what it started.");
            var ended = new TaskCompletionSource<ContainerExit>();
            var followed = FollowAsync(id, launch.ExecId, answers, ended);
            return new ExecSession(
                started.Pid, StdioFiles.Received(launch, first.Files), ended.Task, Sessions, number => SignalExecAsync(id, launch.ExecId, number), LeaveAsync);

            async ValueTask LeaveAsync()
            {
                if (!ended.Task.IsCompleted)
                    await following.CancelAsync();
                await followed;
                following.Dispose();
            }
        }
        catch
        {
            await following.CancelAsync();
            await answers.DisposeAsync();
            following.Dispose();
            stop.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>The loop too: sessions that are still open fail.</summary>
    public async ValueTask DisposeAsync()
    {
        EventLoop? open;
        lock (guard)
            open = loop;
        open?.Dispose();
        if (shim is IAsyncDisposable link)
            await link.DisposeAsync();
    }

    /// <summary>Tells the exit as soon as it is known, and takes the end of the answers too: what is left before that the shim is told to call off.</summary>
    private static async Task FollowAsync(string id, string exec, IAsyncEnumerator<ShimMessage> answers, TaskCompletionSource<ContainerExit> ended)
    {
        try
        {
            if (!await NextAsync(answers) || Parse(answers.Current.Payload).Exit is not { } exit)
                throw new RuntimeException($"The end of the exec {exec} in {id} is not known: the shim did not tell it.");
            ended.SetResult(exit);
            await NextAsync(answers);
        }
        catch (Exception error)
        {
            ended.TrySetException(error); // told to who waits for the exit; after that nothing is left to tell
        }
        finally
        {
            await answers.DisposeAsync();
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<ShimMessage> answers)
    {
        try
        {
            return await answers.MoveNextAsync();
        }
        catch (ShimException error)
        {
            throw new RuntimeException(error.Message, error) { ExitCode = 126 };
        }
    }

    private Task SignalExecAsync(string id, string exec, int number) => CallAsync(
        RuntimeService.SignalExec,
        JsonSerializer.SerializeToUtf8Bytes(new ExecSignalRequest(id, exec, number), RuntimeJson.Default.ExecSignalRequest), CancellationToken.None);
}
