using System.Security.Cryptography;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>Fills a span with random bytes: the kernel's in the product, a seed's in the simulation.</summary>
internal delegate void RandomFill(Span<byte> bytes);

/// <summary>Makes ids for what is about to be proposed.</summary>
internal sealed class IdSource(RandomFill random)
{
    internal static IdSource FromSystem { get; } = new(RandomNumberGenerator.Fill);

    internal string Next()
    {
        Span<byte> bytes = stackalloc byte[17];
        random(bytes);
        return IdText.Cluster(bytes);
    }

    internal TaskId NextTask() => new(Next());
}
