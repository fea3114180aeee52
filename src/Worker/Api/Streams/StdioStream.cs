using System.Buffers;
using System.Buffers.Binary;
using Orchestrator.Shared.Http;

namespace Orchestrator.Worker.Api.Streams;

/// <summary>Why a client's time at a program's stdio ended.</summary>
internal enum StdioEnd
{
    /// <summary>The program writes no more.</summary>
    Ended,

    /// <summary>The client pressed the keys for leaving, or closed the input of a terminal.</summary>
    Left,

    /// <summary>The detach keys were pressed.</summary>
    Detached,

    /// <summary>The connection broke, or the daemon stops.</summary>
    Cut,
}

/// <summary>A program's streams and how they are shown to a client.</summary>
internal sealed record Stdio
{
    /// <summary>Null: the client's input is read and dropped.</summary>
    public Stream? Input { get; init; }

    public Stream? Output { get; init; }
    public Stream? Error { get; init; }

    /// <summary>Output that the client did not ask for: read, since its end is the program's and a backlog of it would grow, and not sent.</summary>
    public bool HidesOutput { get; init; }

    public bool HidesError { get; init; }

    /// <summary>Bare bytes, as a terminal's; else each piece says whether it is stdout's or stderr's.</summary>
    public required LogFraming Framing { get; init; }

    /// <summary>Looked for in what the client sends; null: nothing is.</summary>
    public DetachKeys? Keys { get; init; }

    /// <summary>What the end of the client's input means to the program; null: the client leaves with it, as Docker has it.</summary>
    public Func<Task>? CloseInput { get; init; }

    /// <summary>The program's end, after which its streams get <see cref="StdioStream.LastWords"/> to end too; null: the streams' end is all there is.</summary>
    public Task? ProgramEnded { get; init; }
}

/// <summary>Carries bytes between a client that took its connection over and a program's stdio, both ways at once.</summary>
internal sealed class StdioStream(HijackedConnection client, Stdio program, TimeProvider time) : IDisposable
{
    /// <summary>How long children of an ended program may keep its output open.</summary>
    internal static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    /// <summary>How long a client that goes on sending after the program's end is listened to.</summary>
    internal static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private const int PieceSize = 32 << 10;
    private const int HeaderSize = 8;

    private readonly SemaphoreSlim writing = new(1);
    private bool unheard; // the client sent what the program did not take

    /// <summary>Returns when both sides are done or one has gone. The program's streams are left open.</summary>
    internal async Task<StdioEnd> RunAsync()
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(client.Stopping);
        var giving = GiveAllAsync(over.Token);
        var taking = TakeAsync(over.Token);
        var end = StdioEnd.Ended;
        if (await Task.WhenAny(giving, taking) == taking)
        {
            end = await taking;
            if (end == StdioEnd.Ended) // the input's end is not the client's
                end = await giving;
        }
        else
        {
            end = await giving;
        }

        End(over);
        await Task.WhenAll(giving, taking);
        if (end == StdioEnd.Ended)
            await ReadAwayAsync();
        return client.Stopping.IsCancellationRequested ? StdioEnd.Cut : end;
    }

    public void Dispose() => writing.Dispose();

    /// <summary>At once and on this thread: what is called off wakes up where it waits.</summary>
    private void End(CancellationTokenSource over)
    {
        over.Cancel();
        client.Input.CancelPendingRead();
    }

    /// <summary>
    /// What the client is sending while the program ends is read to its end, for a moment: a socket that is closed over unread bytes tells its other
    /// end of a reset (unix(7)), and clients take that for a failure. One that sends nothing is not waited for.
    /// </summary>
    private async Task ReadAwayAsync()
    {
        using var soon = new CancellationTokenSource(Linger, time);
        var isSending = unheard;
        try
        {
            while (!soon.IsCancellationRequested)
            {
                if (!client.Input.TryRead(out var read))
                {
                    if (!isSending)
                        return;
                    read = await client.Input.ReadAsync(soon.Token);
                }

                isSending |= !read.Buffer.IsEmpty;
                client.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // It pauses, or is gone.
        }
    }

    private async Task<StdioEnd> GiveAllAsync(CancellationToken stop)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var gives = Task.WhenAll(GiveAsync(program.Output, 1, program.HidesOutput, late.Token), GiveAsync(program.Error, 2, program.HidesError, late.Token));
        try
        {
            if (program.ProgramEnded is { } ended)
            {
                await ended.WaitAsync(stop);
                if (!gives.IsCompleted && await Task.WhenAny(gives, Task.Delay(LastWords, time, stop)) != gives)
                    await late.CancelAsync();
            }

            var ends = await gives;
            return ends.Contains(StdioEnd.Cut) ? StdioEnd.Cut : StdioEnd.Ended;
        }
        catch (OperationCanceledException)
        {
            await gives; // a stream has one reader at a time, and the next one comes at once
            return StdioEnd.Cut;
        }
    }

    private async Task<StdioEnd> GiveAsync(Stream? from, byte kind, bool hidden, CancellationToken stop)
    {
        if (from is null)
            return StdioEnd.Ended;
        var header = program.Framing == LogFraming.Multiplexed ? HeaderSize : 0;
        var piece = ArrayPool<byte>.Shared.Rent(header + PieceSize);
        var first = true;
        try
        {
            while (true)
            {
                var count = await from.ReadAsync(piece.AsMemory(header, PieceSize), stop);
                if (count == 0)
                    return StdioEnd.Ended;
                if (hidden)
                    continue;
                if (header > 0)
                {
                    piece.AsSpan(0, 4).Clear();
                    piece[0] = kind;
                    BinaryPrimitives.WriteInt32BigEndian(piece.AsSpan(4), count);
                }

                if (!await SendAsync(piece.AsMemory(0, header + count), stop))
                    return StdioEnd.Cut;
                if (first)
                    await Task.Yield(); // whose thread this is has other things to do than to carry a talkative program's output
                first = false;
            }
        }
        catch (OperationCanceledException)
        {
            return StdioEnd.Ended;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return StdioEnd.Ended; // a terminal ends so, and a session whose runtime went away
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private async Task<bool> SendAsync(ReadOnlyMemory<byte> piece, CancellationToken stop)
    {
        await writing.WaitAsync(stop);
        try
        {
            return !(await client.Output.WriteAsync(piece, stop)).IsCompleted;
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Answers Ended when the client has nothing more to say but may still listen.</summary>
    private async Task<StdioEnd> TakeAsync(CancellationToken stop)
    {
        var typed = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                var read = await client.Input.ReadAsync(stop);
                if (read.IsCanceled)
                    return StdioEnd.Ended;
                var left = Scan(read.Buffer, typed);
                client.Input.AdvanceTo(read.Buffer.End);
                if (!await WriteAsync(typed, stop))
                    return await DropRestAsync(stop);
                if (left)
                    return StdioEnd.Detached;
                if (!read.IsCompleted)
                    continue;
                if (program.Input is null)
                    return StdioEnd.Ended;
                if (program.CloseInput is null)
                    return StdioEnd.Left;
                await program.CloseInput();
                return StdioEnd.Ended;
            }
        }
        catch (OperationCanceledException)
        {
            unheard = typed.WrittenCount > 0;
            return StdioEnd.Ended;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return StdioEnd.Cut; // the client's connection was reset
        }
    }

    private bool Scan(ReadOnlySequence<byte> bytes, ArrayBufferWriter<byte> typed)
    {
        if (program.Input is null)
            return false;
        foreach (var piece in bytes)
        {
            if (program.Keys is not { } keys)
                typed.Write(piece.Span);
            else if (keys.Take(piece.Span, typed))
                return true;
        }

        return false;
    }

    /// <summary>False: the program takes no more input.</summary>
    private async Task<bool> WriteAsync(ArrayBufferWriter<byte> typed, CancellationToken stop)
    {
        if (typed.WrittenCount == 0)
            return true;
        try
        {
            await program.Input!.WriteAsync(typed.WrittenMemory, stop);
            await program.Input.FlushAsync(stop);
            typed.ResetWrittenCount();
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>The program closed its input: what the client still sends goes nowhere, and its output decides about the end.</summary>
    private async Task<StdioEnd> DropRestAsync(CancellationToken stop)
    {
        unheard = true;
        while (true)
        {
            var read = await client.Input.ReadAsync(stop);
            client.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
                return StdioEnd.Ended;
        }
    }
}
