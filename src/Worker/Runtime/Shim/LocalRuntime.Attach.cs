using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Sessions at containers' own stdio.</summary>
internal sealed partial class LocalRuntime
{
    /// <summary>The loop's: sessions that wait for their container's start.</summary>
    private readonly Dictionary<string, ContainerSessions> awaited = [];

    public async Task<IAttachSession> AttachAsync(string id, CancellationToken stop)
    {
        var files = await OpenSessionAsync(id, stop);
        return new AttachSession(
            files, loop, () => MarkInputFinalAsync(id, files.Id), (rows, columns) => ResizeQuietlyAsync(this, id, rows, columns),
            () =>
            {
                LeaveSession(id, files.Id);
                return ValueTask.CompletedTask;
            });
    }

    public Task ResizeAsync(string id, int rows, int columns, CancellationToken stop)
    {
        var container = Find(id) ?? throw new RuntimeException($"There is no container {id}.");
        if (container.Exit is not null)
            throw EnterPlan.Ended(id);
        if (!container.Traits.Terminal)
            throw new RuntimeException($"The container {id} has no terminal.");
        return OnLoopAsync(() =>
        {
            using var master = container.Input?.Duplicate();
            if (master is not null)
                Terminal.Resize(master, rows, columns);
            return true;
        });
    }

    /// <summary>A session's ends, which are the caller's.</summary>
    internal Task<SessionFiles> OpenSessionAsync(string id, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return OnLoopAsync(() => SessionsOf(id).Open(loop));
    }

    /// <summary>When the session lets go of its input, that is the container's.</summary>
    internal Task MarkInputFinalAsync(string id, int session) => OnLoopAsync(() =>
    {
        FindSessions(id)?.MarkInputFinal(session);
        return true;
    });

    internal void LeaveSession(string id, int session) => loop.Post(() =>
    {
        FindSessions(id)?.Leave(loop, session);
        if (awaited.TryGetValue(id, out var waiting) && waiting.IsEmpty)
            awaited.Remove(id);
    });

    /// <summary>
    /// What somebody must hold besides the shim so that the container outlives it: duplicates of its terminal's master (closing the last one hangs
    /// the container up) or of its stdin's writing end (closing the last one is its end), until <see cref="ContainerInput.Released"/>.
    /// Null: it has neither, or not any more.
    /// </summary>
    internal (Microsoft.Win32.SafeHandles.SafeFileHandle File, Task Released)? HoldInput(string id) =>
        Find(id)?.Input is { } input && input.Duplicate() is { } file ? (file, input.Released) : null;

    /// <summary>Of a session: without a terminal nothing happens.</summary>
    internal static async Task ResizeQuietlyAsync(IRuntime runtime, string id, int rows, int columns)
    {
        try
        {
            await runtime.ResizeAsync(id, rows, columns, CancellationToken.None);
        }
        catch (RuntimeException)
        {
            // It has none, or has ended: there is nothing to be sized.
        }
    }

    /// <summary>On the loop's thread, when the container is taken on: who waited for it is there from its first byte.</summary>
    private void BeginSessions(Container container)
    {
        if (!awaited.Remove(container.Id, out var sessions))
            sessions = NewSessions(container.Id);
        sessions.Begin(loop, container.Traits, container.Input);
        container.Output.Sessions = sessions;
    }

    private ContainerSessions SessionsOf(string id)
    {
        if (FindSessions(id) is { } known)
            return Find(id)?.Exit is null ? known : throw EnterPlan.Ended(id);
        return awaited[id] = NewSessions(id);
    }

    private ContainerSessions? FindSessions(string id) => Find(id)?.Output.Sessions ?? awaited.GetValueOrDefault(id);

    private ContainerSessions NewSessions(string id) => new(directory, reason => log.SessionCut(id, reason));

    private Task<T> OnLoopAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception error) when (error is RuntimeException or IOException)
            {
                done.SetException(error is RuntimeException ? error : new RuntimeException(error.Message, error));
            }
        });
        return done.Task;
    }
}
