using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>A session whose ends this process holds, wherever the container's parent is.</summary>
internal sealed class AttachSession : IAttachSession
{
    private readonly Stream? input;
    private readonly Func<Task> markInputFinal;
    private readonly Func<int, int, Task> resize;
    private readonly Func<ValueTask> leave;
    private bool used;

    /// <param name="files">Owned from now on.</param>
    /// <param name="loop">Waits for the files.</param>
    /// <param name="markInputFinal">Says that letting go of the input is its end.</param>
    /// <param name="resize">Sets the terminal's size.</param>
    /// <param name="leave">Says that nobody reads any more.</param>
    internal AttachSession(SessionFiles files, EventLoop loop, Func<Task> markInputFinal, Func<int, int, Task> resize, Func<ValueTask> leave)
    {
        input = files.Input is { } writer ? new ConsoleStream(writer, writes: true, loop) : null;
        Output = new ConsoleStream(files.Output, writes: false, loop);
        Error = files.Error is { } error ? new ConsoleStream(error, writes: false, loop) : null;
        this.markInputFinal = markInputFinal;
        this.resize = resize;
        this.leave = leave;
    }

    public Stream? Input
    {
        get
        {
            used = true;
            return input;
        }
    }

    public Stream Output { get; }

    public Stream? Error { get; }

    public Task ResizeAsync(int rows, int columns) => resize(rows, columns);

    public async Task CloseInputAsync()
    {
        if (input is not { CanWrite: true })
            return;
        await markInputFinal();
        await input.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (used)
            await CloseInputAsync();
        if (input is not null)
            await input.DisposeAsync();
        await Output.DisposeAsync();
        if (Error is not null)
            await Error.DisposeAsync();
        await leave();
    }
}
