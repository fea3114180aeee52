using System.Collections.Immutable;

namespace Orchestrator.Worker.Containers.Payloads;

/// <summary>A file that a container sees and that lies on no disk: a secret or a config of its task.</summary>
/// <param name="Target">Absolute, in the container.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record ContainerFile(string Target, uint Uid, uint Gid, uint Mode, ReadOnlyMemory<byte> Bytes)
{
    public override string ToString() => Target;
}

/// <summary>The files that a container is given when it is made, and again after a restart of the daemon.</summary>
internal sealed record ContainerFiles(ImmutableArray<ContainerFile> Files)
{
    internal static ContainerFiles None { get; } = new([]);

    internal ImmutableArray<string> Targets => [.. Files.Select(f => f.Target)];
}
