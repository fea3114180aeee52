using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Sessions over the socket: their ends as open files, then nothing more until either side has enough.</summary>
internal sealed partial class RuntimeService
{
    internal const string Attach = "attach";
    internal const string MarkInputFinal = "mark-input-final";
    internal const string Resize = "resize";
    internal const string HoldInput = "hold-input";

    private async Task AttachAsync(string id, Func<RuntimeReply, ImmutableArray<SafeFileHandle>, ValueTask> answer, CancellationToken stop)
    {
        var session = await runtime.OpenSessionAsync(id, stop);
        try
        {
            await answer(new RuntimeReply { Session = new SessionOpened(session.Id, session.Input is not null, session.Error is not null) }, session.All);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }
        finally
        {
            runtime.LeaveSession(id, session.Id);
        }
    }

    /// <summary>Gives a duplicate of the container's way in, and ends when that is to be let go.</summary>
    private async Task HoldInputAsync(string id, Func<RuntimeReply, ImmutableArray<SafeFileHandle>, ValueTask> answer, CancellationToken stop)
    {
        if (runtime.HoldInput(id) is not { } held)
            return;
        await answer(new RuntimeReply(), [held.File]);
        await held.Released.WaitAsync(stop);
    }
}

internal sealed record SessionRequest(string Id, int Session);

internal sealed record ResizeRequest(string Id, int Rows, int Columns);

/// <summary>The files that come with it: input if there is one, output, error if there is one.</summary>
internal sealed record SessionOpened(int Id, bool Input, bool Error);
