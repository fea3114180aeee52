namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>Three members that keep what they are given.</summary>
internal interface IWriteTarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Writes the text under the client's own key; completes when it lies on the disks of a majority.</summary>
    Task WriteAsync(int client, string value);
}
