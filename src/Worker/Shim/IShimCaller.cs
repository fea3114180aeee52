namespace Orchestrator.Worker.Shim;

/// <summary>The daemon's side of the shim's socket.</summary>
internal interface IShimCaller
{
    /// <summary>Sends one request and returns the single reply (empty when the operation answers nothing).</summary>
    /// <exception cref="ShimException">The shim refused or failed the operation, or is not there.</exception>
    Task<ReadOnlyMemory<byte>> CallAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop);

    /// <summary>Sends one request and yields replies until the shim ends the stream or the connection is lost.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop);

    /// <summary>As <see cref="StreamAsync"/>, with open files beside what is said in both directions. Those of a request are given away.</summary>
    IAsyncEnumerable<ShimMessage> ExchangeAsync(string service, string operation, ShimMessage request, CancellationToken stop);
}
