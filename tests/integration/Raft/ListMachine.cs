using System.Collections.Immutable;
using System.Text;
using Orchestrator.Manager.Raft;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>A machine whose state is the list of what was applied.</summary>
internal sealed class ListMachine : IReplicatedMachine
{
    internal ImmutableList<string> Items { get; private set; } = [];

    internal int Restores { get; private set; }

    public void Apply(ulong index, ReadOnlyMemory<byte> entry) => Items = Items.Add(Encoding.UTF8.GetString(entry.Span));

    public ISnapshot Capture() => new View(Items);

    public async Task RestoreAsync(Stream snapshot, CancellationToken stop)
    {
        using var reader = new StreamReader(snapshot);
        Items = [.. (await reader.ReadToEndAsync(stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        Restores++;
    }

    private sealed class View(ImmutableList<string> items) : ISnapshot
    {
        public async Task WriteAsync(Stream target, CancellationToken stop) =>
            await target.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', items)), stop);
    }
}
