using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>
/// The sessions at a container's own stdio, from before its start until its end. The event loop's: everything here happens on its thread.
/// </summary>
internal sealed class ContainerSessions(string spillDirectory, Action<string> gaveUp)
{
    private const int PipeSize = 1 << 20;

    private readonly Dictionary<int, Session> all = [];
    private int lastId;
    private Traits? traits; // null: before its start
    private ContainerInput? input;

    /// <summary>The way into the container, if there is one.</summary>
    internal ContainerInput? Input => input;

    internal bool IsEmpty => all.Count == 0;

    /// <summary>A session from now on; before the container's start, from its first byte.</summary>
    internal SessionFiles Open(EventLoop loop)
    {
        var terminal = traits?.Terminal ?? false;
        var hasInput = traits is null || input is { Closed: false };
        var (inputReader, inputWriter) = hasInput ? Pipe(oursReads: true) : default;
        var (outputReader, outputWriter) = Pipe(oursReads: false);
        var (errorReader, errorWriter) = terminal ? default : Pipe(oursReads: false);
        var session = new Session(
            inputReader is null ? null : new SessionInput(inputReader),
            new SessionOutput(outputWriter!, spillDirectory, gaveUp),
            errorWriter is null ? null : new SessionOutput(errorWriter, spillDirectory, gaveUp));
        all.Add(++lastId, session);
        if (traits is not null)
            session.Input?.Begin(loop, input);
        return new SessionFiles { Id = lastId, Input = inputWriter, Output = outputReader!, Error = errorReader };
    }

    /// <summary>The container runs.</summary>
    internal void Begin(EventLoop loop, Traits container, ContainerInput? way)
    {
        traits = container;
        input = way;
        foreach (var session in all.Values)
        {
            session.Input?.Begin(loop, way);
            if (container.Terminal)
                session.Error?.End(loop);
        }
    }

    /// <summary>The container wrote: stream 0 is its stdout or terminal, 1 its stderr.</summary>
    internal void Write(EventLoop loop, int stream, ReadOnlySpan<byte> bytes)
    {
        if (all.Count == 0)
            return;
        foreach (var session in all.Values)
            (stream == 0 ? session.Output : session.Error)?.Write(loop, bytes);
    }

    /// <summary>When the session lets go of its input, that is the input's end.</summary>
    internal void MarkInputFinal(int id)
    {
        if (all.TryGetValue(id, out var session))
            session.Input?.MarkFinal();
    }

    /// <summary>The session reads no more. What it wrote still arrives.</summary>
    internal void Leave(EventLoop loop, int id)
    {
        if (!all.Remove(id, out var session))
            return;
        session.Output.Close(loop);
        session.Error?.Close(loop);
        if (traits is null)
            session.Input?.Close(loop);
    }

    /// <summary>The container has ended and all that it wrote was seen.</summary>
    internal void Finish(EventLoop loop)
    {
        input?.Close(loop);
        foreach (var session in all.Values)
        {
            session.Output.End(loop);
            session.Error?.End(loop);
            session.Input?.Close(loop);
        }
    }

    /// <summary>The end that stays here first is marked not to block; so is the other, which the session's process reads or writes by events too.</summary>
    private static (SafeFileHandle? Reader, SafeFileHandle? Writer) Pipe(bool oursReads)
    {
        var (reader, writer) = KernelFile.Pipe();
        Fifo.DoNotBlock(reader, KernelFile.ReadOnly);
        Fifo.DoNotBlock(writer, KernelFile.WriteOnly);
        if (!oursReads)
            Fifo.Widen(writer, PipeSize);
        return (reader, writer);
    }

    private sealed record Session(SessionInput? Input, SessionOutput Output, SessionOutput? Error);
}

/// <summary>The ends that a session holds.</summary>
internal sealed record SessionFiles
{
    public required int Id { get; init; }
    public SafeFileHandle? Input { get; init; }
    public required SafeFileHandle Output { get; init; }
    public SafeFileHandle? Error { get; init; }

    internal ImmutableArray<SafeFileHandle> All => [.. new[] { Input, Output, Error }.OfType<SafeFileHandle>()];
}
