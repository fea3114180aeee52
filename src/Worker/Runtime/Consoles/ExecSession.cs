using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>An exec whose stdio this process holds, wherever its parent is.</summary>
internal sealed class ExecSession : IExecSession
{
    private readonly Func<int, Task> signal;
    private readonly Func<ValueTask> release;
    private readonly SafeFileHandle? master;

    /// <param name="pid">As the host counts.</param>
    /// <param name="stdio">Owned from now on.</param>
    /// <param name="ended">Tells the exit.</param>
    /// <param name="loop">Waits for the files.</param>
    /// <param name="signal">Sends a signal.</param>
    /// <param name="release">Called when the session is disposed.</param>
    internal ExecSession(int pid, StdioFiles stdio, Task<ContainerExit> ended, EventLoop loop, Func<int, Task> signal, Func<ValueTask> release)
    {
        Pid = pid;
        Ended = ended;
        this.signal = signal;
        this.release = release;
        if (stdio.Master is { } terminal)
        {
            // Each direction has a descriptor of its own: an event loop watches one only once.
            master = terminal;
            Input = new ConsoleStream(Fifo.Duplicate(terminal), writes: true, loop);
            Output = new ConsoleStream(Fifo.Duplicate(terminal), writes: false, loop);
            return;
        }
        Input = stdio.Input is { } input ? new ConsoleStream(input, writes: true, loop) : null;
        Output = stdio.Output is { } output ? new ConsoleStream(output, writes: false, loop) : null;
        Error = stdio.Error is { } error ? new ConsoleStream(error, writes: false, loop) : null;
    }

    public int Pid { get; }

    public Stream? Input { get; }

    public Stream? Output { get; }

    public Stream? Error { get; }

    public Task<ContainerExit> Ended { get; }

    public Task SignalAsync(int number) => signal(number);

    public Task ResizeAsync(int rows, int columns)
    {
        if (master is { IsClosed: false } terminal)
            Terminal.Resize(terminal, rows, columns);
        return Task.CompletedTask;
    }

    public async Task CloseInputAsync()
    {
        if (master is null && Input is { } input)
            await input.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in new[] { Input, Output, Error }.OfType<Stream>())
            await stream.DisposeAsync();
        master?.Dispose();
        await release();
    }
}
