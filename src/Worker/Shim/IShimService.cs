namespace Orchestrator.Worker.Shim;

/// <summary>One subject the shim answers for (containers, names). Payloads are UTF-8 JSON, agreed by the two ends of the subject.</summary>
internal interface IShimService
{
    /// <summary>The subject's name on the wire.</summary>
    string Name { get; }

    /// <summary>The operation leaves the thread it is called on at once, so that it need not be given one of its own.</summary>
    bool LeavesAtOnce(string operation) => false;

    /// <summary>
    /// Answers one request. A thrown exception reaches the caller as <see cref="ShimException"/> with the same message.
    /// <paramref name="reply"/> may be called many times by a streaming operation; the stream ends when the task does.
    /// </summary>
    Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stop);

    /// <summary>As the other, for a subject that takes or gives open files; those of the request are this end's to close.</summary>
    Task HandleAsync(string operation, ShimMessage request, Func<ShimMessage, ValueTask> reply, CancellationToken stop)
    {
        request.Close();
        return HandleAsync(operation, request.Payload, payload => reply(new ShimMessage(payload)), stop);
    }
}
