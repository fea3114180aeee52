using System.Buffers;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>Three members that keep what they are given.</summary>
internal interface IWriteTarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>What the command lines of its members' processes have in common.</summary>
    IReadOnlyList<string> Roots { get; }

    /// <summary>The unary gRPC method that writes.</summary>
    string Path { get; }

    /// <summary>A connection to the leader, with the client's certificate and the server's checked.</summary>
    Task<Stream> ConnectAsync();

    /// <summary>The client's next write, of 256 bytes under its own key. It is acknowledged when it lies on the disks of a majority.</summary>
    void Encode(int client, IBufferWriter<byte> into);

    /// <summary>The acknowledgement.</summary>
    void Decode(int client, ReadOnlyMemory<byte> answer);
}
