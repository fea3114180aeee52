namespace Orchestrator.Worker.Shim;

/// <summary>
/// Reads a connection on a thread of its own, and what a frame sets off goes on there: every launch, end and answer crosses this socket, and
/// the pool would change threads twice for each, once for the socket's readiness and once for the work.
/// </summary>
internal static class FrameReader
{
    private const int StackSize = 256 << 10;

    /// <summary>Completes when the connection has ended; a frame that nobody can have meant fails it. <paramref name="take"/> never blocks for long.</summary>
    internal static Task RunAsync(ShimStream stream, Action<FrameKind, uint, ShimMessage> take)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(Read, StackSize) { IsBackground = true, Name = "shim frames" }.Start();
        return ended.Task;

        void Read()
        {
            try
            {
                foreach (var (kind, id, message) in ShimFrame.ReadAll(stream))
                    take(kind, id, message);
                ended.SetResult();
            }
            catch (Exception error)
            {
                ended.SetException(error);
            }
        }
    }
}
