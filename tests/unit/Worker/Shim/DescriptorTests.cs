using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Tests.Unit.Worker.Shim;

public sealed class DescriptorTests
{
    /// <summary>Answers with the files it was sent, after their contents.</summary>
    private sealed class Mirror : IShimService
    {
        public string Name => "mirror";

        public Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stop) =>
            throw new NotSupportedException();

        public async Task HandleAsync(string operation, ShimMessage request, Func<ShimMessage, ValueTask> reply, CancellationToken stop)
        {
            for (var i = 0; i < request.Files.Length; i++)
                await reply(new ShimMessage(Encoding.UTF8.GetBytes($"{operation} {i} {request.Payload.Length}"), [request.Files[i]]));
        }
    }

    [Fact]
    public async Task Open_files_travel_both_ways_each_with_its_message_among_many()
    {
        var directory = Directory.CreateTempSubdirectory("orch-fds");
        try
        {
            using var stop = new CancellationTokenSource();
            var path = Path.Combine(directory.FullName, "s");
            var listening = new TaskCompletionSource();
            var serving = new ShimServer(path, [new Mirror()], NullLogger.Instance).RunAsync(listening.SetResult, stop.Token);
            await listening.Task;
            await using (var connection = await ShimConnection.ConnectAsync(path, stop.Token))
            {
                await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (n, _) =>
                {
                    var files = Enumerable.Range(0, 1 + (n % DescriptorSocket.MostFiles)).Select(i => Written(directory.FullName, $"{n}-{i}")).ToList();
                    var next = 0;
                    // Large enough to be cut into pieces on the way.
                    await foreach (var answer in connection.ExchangeAsync("mirror", $"{n}", new ShimMessage(new byte[n * 1000], [.. files]), stop.Token))
                    {
                        Assert.Equal($"{n} {next} {n * 1000}", Encoding.UTF8.GetString(answer.Payload.Span));
                        Assert.Equal($"{n}-{next++}", Text(Assert.Single(answer.Files)));
                        answer.Close();
                    }
                    Assert.Equal(files.Count, next);
                    // The other end may answer before the sender has come to closing its own.
                    Assert.True(SpinWait.SpinUntil(() => files.TrueForAll(f => f.IsClosed), TimeSpan.FromSeconds(20)));
                });
            }
            await stop.CancelAsync();
            await serving;
            Assert.DoesNotContain(Directory.EnumerateFiles("/proc/self/fd"), f => new FileInfo(f).LinkTarget?.StartsWith(directory.FullName, StringComparison.Ordinal) == true);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Files_that_nobody_takes_are_closed()
    {
        var (reader, writer) = KernelFile.Pipe();
        using var mine = reader;
        var path = Path.Combine(Path.GetTempPath(), $"orch-fds-{Guid.NewGuid():n}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        await using (var connection = await ShimConnection.ConnectAsync(path, CancellationToken.None))
        {
            using var peer = await listener.AcceptAsync();
            // An answer to a request that was never made.
            var frame = ShimFrame.Encode(FrameKind.Item, 7, "x"u8, 1);
            Assert.Equal(frame.Length, DescriptorSocket.Send(peer.SafeHandle, frame, [writer]));
            writer.Dispose();
            var end = Task.Factory.StartNew(() => RandomRead(mine), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Assert.Equal(0, await end.WaitAsync(TimeSpan.FromSeconds(20)));
        }
        File.Delete(path);
    }

    private static int RandomRead(SafeFileHandle pipe) => Fifo.Read(pipe, new byte[1]);

    private static SafeFileHandle Written(string directory, string text)
    {
        var path = Path.Combine(directory, text);
        File.WriteAllText(path, text);
        return File.OpenHandle(path);
    }

    private static string Text(SafeFileHandle file)
    {
        var buffer = new byte[64];
        return Encoding.UTF8.GetString(buffer, 0, RandomAccess.Read(file, buffer, 0));
    }
}
