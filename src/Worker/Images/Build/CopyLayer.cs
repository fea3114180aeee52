using System.Collections.Immutable;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Writes the layer that a <see cref="CopySelection"/> decided.</summary>
internal static class CopyLayer
{
    internal static void Write(ImmutableArray<CopyItem> items, Stream to, CancellationToken stop)
    {
        var tar = new TarComposer(to);
        foreach (var (entry, host, archive) in items)
        {
            stop.ThrowIfCancellationRequested();
            if (archive)
            {
                Unfold(host, entry.Name, tar);
                continue;
            }
            using var content = host.Length > 0 ? File.OpenRead(host) : null;
            tar.Write(entry, content);
        }
        tar.Finish();
    }

    // An archive's own root describes the directory that it was made from, not the destination.
    private static void Unfold(string archive, string target, TarComposer tar)
    {
        using var file = File.OpenRead(archive);
        using var plain = Compression.Open(file, Path.GetFileName(archive));
        var source = new TarScanner(plain);
        while (source.Next() is { } entry)
        {
            var name = EntryPath.Clean(entry.Name);
            if (name.Length == 0)
                continue;
            var moved = entry with
            {
                Name = Under(target, name) + (entry.Kind == TarKind.Directory ? "/" : ""),
                LinkName = entry.Kind == TarKind.HardLink ? Under(target, EntryPath.Clean(entry.LinkName)) : entry.LinkName,
            };
            tar.Write(moved, source.Content);
        }
    }

    private static string Under(string parent, string leaf) => parent.Length == 0 ? leaf : $"{parent}/{leaf}";
}
