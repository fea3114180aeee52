using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Shim;

/// <summary>Answers the shim's socket: any number of connections, many requests at once on each.</summary>
internal sealed class ShimServer(string path, IReadOnlyList<IShimService> services, ILogger log)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Dictionary<string, IShimService> byName = services.ToDictionary(s => s.Name);

    /// <summary>Listens until stopped; the socket file is gone afterwards.</summary>
    /// <param name="listening">Called once connections are accepted.</param>
    /// <param name="stop">Ends it.</param>
    internal async Task RunAsync(Action listening, CancellationToken stop)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // Bound under a name nobody knows and renamed when only its owner may connect: no moment in which others could.
        var hidden = $"{path}.{Environment.ProcessId}";
        File.Delete(hidden);
        listener.Bind(new UnixDomainSocketEndPoint(hidden));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(hidden, OwnerOnly);
        listener.Listen();
        File.Move(hidden, path, overwrite: true);
        listening();
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stop);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(ServeAsync(socket, stop));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            File.Delete(path);
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        await using var stream = new ShimStream(socket);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var writer = new FrameWriter();
        var writing = writer.RunAsync(stream, gone.Token);
        var requests = new Dictionary<uint, Request>();
        try
        {
            await using var cut = stop.Register(stream.Cut);
            await FrameReader.RunAsync(stream, Take);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or OperationCanceledException)
        {
            if (error is InvalidDataException)
                log.BadFrame(error);
        }
        await gone.CancelAsync();
        await Task.WhenAll(requests.Values.Select(r => r.Answer));
        writer.Complete();
        try
        {
            await writing;
        }
        catch (OperationCanceledException)
        {
            // what was not sent has no reader any more
        }
        foreach (var request in requests.Values)
            request.Cancel.Dispose();

        void Take(FrameKind kind, uint id, ShimMessage message)
        {
            foreach (var (done, request) in requests.Where(r => r.Value.Answer.IsCompleted && r.Value.Cancelling.IsCompleted).ToList())
            {
                requests.Remove(done);
                request.Cancel.Dispose();
            }
            if (kind == FrameKind.Call)
            {
                var cancel = CancellationTokenSource.CreateLinkedTokenSource(gone.Token);
                requests.Add(id, new Request(AnswerAsync(id, message, writer, cancel.Token), cancel, Task.CompletedTask));
            }
            else if (kind == FrameKind.Cancel && requests.TryGetValue(id, out var cancelled))
            {
                // Not on this thread: whatever was told of it may take its time.
                requests[id] = cancelled with { Cancelling = cancelled.Cancel.CancelAsync() };
            }
        }
    }

    /// <summary>A request that is being answered.</summary>
    private readonly record struct Request(Task Answer, CancellationTokenSource Cancel, Task Cancelling);

    private async Task AnswerAsync(uint id, ShimMessage message, FrameWriter writer, CancellationToken stop)
    {
        try
        {
            var (service, operation, request) = ShimFrame.DecodeCall(message.Payload);
            byName.TryGetValue(service, out var found);
            if (found is null || !found.LeavesAtOnce(operation))
                await Task.Yield(); // the connection goes on reading
            try
            {
                if (found is null)
                {
                    message.Close();
                    throw new ShimException($"The shim has no service '{service}'.");
                }
                await found.HandleAsync(operation, message with { Payload = request }, item => writer.SendAsync(ShimFrame.Encode(FrameKind.Item, id, item.Payload.Span, item.Files.Length), item, stop), stop);
                await writer.SendAsync(ShimFrame.Encode(FrameKind.End, id, []), stop);
            }
            catch (Exception error) when (error is not (OperationCanceledException or System.Threading.Channels.ChannelClosedException))
            {
                if (error is not ShimException)
                    log.RequestFailed(error, service, operation);
                await writer.SendAsync(ShimFrame.Encode(FrameKind.Failed, id, Encoding.UTF8.GetBytes(error.Message)), stop);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // Nobody waits for the answer any more.
        }
    }
}
