using System.Buffers;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Http;

namespace Orchestrator.Cli.Commands.Terminals;

/// <summary>Our stdin, stdout and stderr at a program of the daemon's.</summary>
internal sealed class StdioSession(Shell shell, TakenConnection connection, bool tty, bool stdin, DetachKeys? keys)
{
    /// <summary>Runs until the program writes no more; true when the keys for leaving were pressed before.</summary>
    internal async Task<bool> RunAsync(CancellationToken stop)
    {
        if (!stdin)
        {
            connection.CloseInput();
            Listen(stop);
            return false;
        }

        using var raw = tty && shell.InputIsTerminal ? new RawTerminal() : null;
        using var over = new CancellationTokenSource();
        var given = GiveAsync(stop);
        var taken = TakeAsync(over.Token);
        if (await Task.WhenAny(given, taken) == taken && await taken)
        {
            // As docker says it; the terminal is still raw, so the line ends with both characters.
            await shell.Error.WriteAsync("read escape sequence\r\n");
            return true;
        }

        try
        {
            await given;
        }
        finally
        {
            // A read of our stdin that waits for a key cannot be taken back: the process's end takes it.
            await over.CancelAsync();
        }

        return false;
    }

    /// <summary>There is nothing else to do meanwhile, so this thread waits itself.</summary>
    private void Listen(CancellationToken stop)
    {
        using var abort = stop.UnsafeRegister(static c => ((TakenConnection)c!).Abort(), connection);
        try
        {
            if (tty)
                connection.Stream.CopyTo(shell.RawOut);
            else
                Client.LogFrames.Copy(connection.Stream, shell.RawOut, shell.RawError);
        }
        catch (IOException) when (stop.IsCancellationRequested)
        {
            // said below
        }
        stop.ThrowIfCancellationRequested();
    }

    private async Task GiveAsync(CancellationToken stop)
    {
        try
        {
            if (tty)
                await connection.Stream.CopyToAsync(shell.RawOut, stop);
            else
                await Client.LogFrames.CopyAsync(connection.Stream, async (kind, text) => await (kind == 2 ? shell.RawError : shell.RawOut).WriteAsync(text, stop), stop);
        }
        catch (IOException e) when (connection.IsEnd(e))
        {
            // The program's exit code is asked for by whoever began the session.
        }
    }

    /// <summary>True: the keys were pressed.</summary>
    private async Task<bool> TakeAsync(CancellationToken over)
    {
        var buffer = new byte[32 << 10];
        var typed = new ArrayBufferWriter<byte>();
        await using var input = shell.OpenInput();
        try
        {
            while (await input.ReadAsync(buffer, over) is > 0 and var count)
            {
                if (keys is null)
                {
                    await connection.Stream.WriteAsync(buffer.AsMemory(0, count), over);
                    continue;
                }

                var left = keys.Take(buffer.AsSpan(0, count), typed);
                await connection.Stream.WriteAsync(typed.WrittenMemory, over);
                typed.ResetWrittenCount();
                if (left)
                    return true;
            }

            connection.CloseInput();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The program ended before its input did.
        }

        return false;
    }
}
