using System.IO.Pipelines;
using System.Text;
using Orchestrator.Shared.Http;
using Orchestrator.Worker.Api.Streams;

namespace Orchestrator.Tests.Unit.Worker.Api.Streams;

public sealed class StdioStreamTests : IDisposable
{
    private readonly Pipe toDaemon = new();
    private readonly Pipe toClient = new();
    private readonly Pipe input = new();
    private readonly Pipe output = new();
    private readonly Pipe error = new();
    private readonly CancellationTokenSource stopping = new();

    public void Dispose() => stopping.Dispose();

    private async Task<StdioEnd> RunAsync(Func<Stdio, Stdio> change)
    {
        var program = change(new Stdio
        {
            Input = input.Writer.AsStream(),
            Output = output.Reader.AsStream(),
            Error = error.Reader.AsStream(),
            Framing = LogFraming.Multiplexed,
        });
        using var stream = new StdioStream(new HijackedConnection(toDaemon.Reader, toClient.Writer, stopping.Token), program, TimeProvider.System);
        var end = await stream.RunAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, CancellationToken.None);
        await toClient.Writer.CompleteAsync();
        return end;
    }

    private static async Task WriteAsync(Pipe pipe, string text) => await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes(text), CancellationToken.None);

    private static async Task<string> ReadAllAsync(Pipe pipe)
    {
        using var text = new MemoryStream();
        await pipe.Reader.CopyToAsync(text, CancellationToken.None);
        return Encoding.ASCII.GetString(text.ToArray());
    }

    [Fact]
    public async Task Both_outputs_come_in_frames_and_the_end_of_both_is_the_end()
    {
        var running = RunAsync(p => p);
        await WriteAsync(output, "out");
        await output.Writer.CompleteAsync();
        var first = await toClient.Reader.ReadAtLeastAsync(11, CancellationToken.None);
        Assert.Equal("\u0001\0\0\0\0\0\0\u0003out", Encoding.ASCII.GetString(first.Buffer.First.Span));
        toClient.Reader.AdvanceTo(first.Buffer.End);
        await WriteAsync(error, "err!");
        await error.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
        Assert.Equal("\u0002\0\0\0\0\0\0\u0004err!", await ReadAllAsync(toClient));
    }

    [Fact]
    public async Task A_client_at_the_input_alone_stays_until_the_program_ends_and_sees_nothing_of_what_it_writes()
    {
        var closed = new TaskCompletionSource();
        var running = RunAsync(p => p with
        {
            HidesOutput = true,
            HidesError = true,
            CloseInput = async () =>
            {
                await input.Writer.CompleteAsync();
                closed.SetResult();
            },
        });
        await WriteAsync(output, "unseen");
        await WriteAsync(toDaemon, "typed");
        await toDaemon.Writer.CompleteAsync();
        Assert.Equal("typed", await ReadAllAsync(input));
        await closed.Task;
        Assert.False(running.IsCompleted);
        await output.Writer.CompleteAsync();
        await error.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
        Assert.Equal("", await ReadAllAsync(toClient));
    }

    [Fact]
    public async Task The_end_of_the_input_reaches_the_program_and_its_answer_the_client()
    {
        var running = RunAsync(p => p with { CloseInput = async () => await input.Writer.CompleteAsync() });
        await WriteAsync(toDaemon, "all");
        await toDaemon.Writer.CompleteAsync();
        Assert.Equal("all", await ReadAllAsync(input));
        await WriteAsync(output, "answer");
        await output.Writer.CompleteAsync();
        await error.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
        Assert.EndsWith("answer", await ReadAllAsync(toClient), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_end_of_input_of_its_own_the_client_leaves_with_its_input()
    {
        var running = RunAsync(p => p);
        await toDaemon.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Left, await running);
    }

    [Fact]
    public async Task The_keys_end_it_and_do_not_reach_the_program()
    {
        var running = RunAsync(p => p with { Framing = LogFraming.Raw, Error = null, Keys = DetachKeys.Parse(null).Keys });
        await WriteAsync(toDaemon, "ls\u0010");
        await WriteAsync(toDaemon, "\u0011more");
        Assert.Equal(StdioEnd.Detached, await running);
        await input.Writer.CompleteAsync();
        Assert.Equal("ls", await ReadAllAsync(input));
    }

    [Fact]
    public async Task A_program_that_closed_its_input_is_heard_to_the_end()
    {
        await input.Reader.CompleteAsync();
        var running = RunAsync(p => p with { Input = new ClosedStream(), CloseInput = () => Task.CompletedTask });
        await WriteAsync(toDaemon, "nobody reads this");
        await WriteAsync(output, "still here");
        await output.Writer.CompleteAsync();
        await error.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
        Assert.EndsWith("still here", await ReadAllAsync(toClient), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_client_is_sending_while_the_program_ends_is_read_to_its_end_and_not_reset()
    {
        var running = RunAsync(p => p);
        var sending = WriteAsync(toDaemon, new string('x', 300_000)); // more than a program takes that reads nothing
        await output.Writer.CompleteAsync();
        await error.Writer.CompleteAsync();
        await sending.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, CancellationToken.None);
        await toDaemon.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
    }

    [Fact]
    public async Task A_client_that_goes_on_sending_does_not_keep_an_ended_program()
    {
        var running = RunAsync(p => p);
        var sending = WriteAsync(toDaemon, new string('x', 300_000));
        await output.Writer.CompleteAsync();
        await error.Writer.CompleteAsync();
        Assert.Equal(StdioEnd.Ended, await running);
        await sending;
    }

    [Fact]
    public async Task Children_that_keep_the_output_of_an_ended_program_open_do_not_hold_the_client_for_ever()
    {
        var running = RunAsync(p => p with { ProgramEnded = Task.CompletedTask });
        await WriteAsync(output, "last");
        Assert.Equal(StdioEnd.Ended, await running);
        Assert.EndsWith("last", await ReadAllAsync(toClient), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_stops_cuts_it()
    {
        var running = RunAsync(p => p);
        await stopping.CancelAsync();
        Assert.Equal(StdioEnd.Cut, await running);
    }

    /// <summary>As a pipe whose reader has gone.</summary>
    private sealed class ClosedStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("The program does not read any more.");
    }
}
