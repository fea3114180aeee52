using System.Collections.Immutable;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>Copies a directory of an image: content, owners, modes, times and attributes, links as links.</summary>
internal static class ImageContent
{
    /// <summary>False when the image has no directory at the path; the directory's own owner and mode count as content.</summary>
    internal static bool CopyTo(ImmutableArray<string> lowers, string path, string into)
    {
        if (new LayeredView(lowers).Find(path) is not { Status.Kind: FileKind.Directory } top)
            return false;
        using var unpacker = new LayerUnpacker(into, WhiteoutUse.Keep);
        foreach (var (entry, host) in ViewEntries.Of(top, ""))
        {
            using var content = entry.Size > 0 ? File.OpenRead(host) : Stream.Null;
            unpacker.Apply(entry, content);
        }

        unpacker.Finish();
        return true;
    }
}
