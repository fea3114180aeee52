using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Execs over the socket: first the process with its stdio as open files, then, when it is known, its exit.</summary>
internal sealed partial class RuntimeService
{
    internal const string Exec = "exec";
    internal const string SignalExec = "signal-exec";

    private async Task ExecAsync(ExecRequest request, Func<RuntimeReply, ImmutableArray<SafeFileHandle>, ValueTask> answer, CancellationToken stop)
    {
        var (exec, stdio) = await runtime.LaunchExecAsync(request.Id, request.Launch, stop);
        ValueTask told;
        try
        {
            // Sent files are closed here: from now on the daemon alone holds them.
            told = answer(new RuntimeReply { Exec = new ExecStarted(exec.Pid) }, stdio.All);
        }
        finally
        {
            runtime.Watch(exec); // also while a daemon that reads slowly is waited for
        }
        await told;
        await answer(new RuntimeReply { Exit = await exec.Ended.WaitAsync(stop) }, []);
    }
}

internal sealed record ExecRequest(string Id, ExecLaunch Launch);

internal sealed record ExecSignalRequest(string Id, string ExecId, int Number);

/// <summary>The files that come with it are the ends that the launch asked for, in the order terminal or input, output, error.</summary>
internal sealed record ExecStarted(int Pid);
