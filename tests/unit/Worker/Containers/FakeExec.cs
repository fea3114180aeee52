using System.Collections.Concurrent;
using System.IO.Pipelines;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Tests.Unit.Worker.Containers;

/// <summary>An exec whose program is the test: it reads what was written to it, writes and ends.</summary>
internal sealed class FakeExec : IExecSession
{
    private readonly TaskCompletionSource<ContainerExit> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FakeStdio stdio;
    private readonly ExecLaunch launch;

    internal FakeExec(ExecLaunch launch, int pid = 4000)
    {
        this.launch = launch;
        Pid = pid;
        stdio = new FakeStdio();
        Input = launch.Stdin ? stdio.Input.Writer.AsStream() : null;
        Output = launch.Stdout ? stdio.Output.Reader.AsStream() : null;
        Error = launch.Stderr && !launch.Process.Terminal ? stdio.Error.Reader.AsStream() : null;
    }

    public int Pid { get; }

    public Stream? Input { get; }

    public Stream? Output { get; }

    public Stream? Error { get; }

    public Task<ContainerExit> Ended => ended.Task;

    /// <summary>The program's side.</summary>
    internal FakeStdio Program => stdio;

    internal ConcurrentQueue<int> Signals { get; } = new();

    internal ConcurrentQueue<ConsoleSize> Sizes { get; } = new();

    /// <summary>Signals do this; unless told otherwise the program ends by them.</summary>
    internal Action<int>? OnSignal { get; set; }

    internal bool Disposed { get; private set; }

    internal void End(int code)
    {
        stdio.Output.Writer.Complete();
        stdio.Error.Writer.Complete();
        ended.TrySetResult(new ContainerExit { Id = launch.ExecId, Pid = Pid, ExitCode = code, ExitedAt = TimeProvider.System.GetUtcNow() });
    }

    public Task SignalAsync(int signal)
    {
        Signals.Enqueue(signal);
        (OnSignal ?? (s => End(128 + s)))(signal);
        return Task.CompletedTask;
    }

    public Task ResizeAsync(int rows, int columns)
    {
        Sizes.Enqueue(new ConsoleSize(rows, columns));
        return Task.CompletedTask;
    }

    public async Task CloseInputAsync() => await stdio.Input.Writer.CompleteAsync();

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }
}

/// <summary>A session with a container whose program is the test.</summary>
internal sealed class FakeAttach(bool input = true, bool terminal = false) : IAttachSession
{
    private readonly FakeStdio stdio = new();

    public Stream? Input => field ??= input ? stdio.Input.Writer.AsStream() : null;

    public Stream Output => field ??= stdio.Output.Reader.AsStream();

    public Stream? Error => field ??= terminal ? null : stdio.Error.Reader.AsStream();

    /// <summary>The program's side.</summary>
    internal FakeStdio Program => stdio;

    internal ConcurrentQueue<ConsoleSize> Sizes { get; } = new();

    internal bool Disposed { get; private set; }

    public Task ResizeAsync(int rows, int columns)
    {
        Sizes.Enqueue(new ConsoleSize(rows, columns));
        return Task.CompletedTask;
    }

    public async Task CloseInputAsync() => await stdio.Input.Writer.CompleteAsync();

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }
}

/// <summary>Three pipes.</summary>
internal sealed class FakeStdio
{
    internal Pipe Input { get; } = new();

    internal Pipe Output { get; } = new();

    internal Pipe Error { get; } = new();
}
