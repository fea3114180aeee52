namespace Orchestrator.Worker.Images.Unpack;

/// <summary>Names in archives, made safe: relative, without <c>.</c> and empty components, never with <c>..</c>.</summary>
internal static class EntryPath
{
    /// <summary>The clean path, empty for the root itself.</summary>
    /// <exception cref="ImageException">The name climbs out or cannot be a file name.</exception>
    internal static string Clean(string name)
    {
        if (name.Contains('\0'))
            throw ImageException.Bad("the archive has a file name with a zero byte");
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Contains(".."))
            throw ImageException.Bad($"the archive has an entry that leaves its root: {name}");
        return string.Join('/', parts.Where(p => p != "."));
    }

    internal static (string Parent, string Leaf) Split(string clean)
    {
        var slash = clean.LastIndexOf('/');
        return slash < 0 ? ("", clean) : (clean[..slash], clean[(slash + 1)..]);
    }
}

/// <summary>What an entry of a layer says about the layers below (image-spec layer.md, Whiteouts).</summary>
internal enum WhiteoutKind
{
    /// <summary>An ordinary file.</summary>
    None,

    /// <summary>The sibling of that name is gone.</summary>
    Hides,

    /// <summary>Everything below in the same directory is gone.</summary>
    Opaque,

    /// <summary>Bookkeeping of aufs that means nothing here.</summary>
    Ignored,
}

/// <summary>Reads and writes the names of whiteouts.</summary>
internal static class Whiteouts
{
    internal const string Prefix = ".wh.";
    internal const string OpaqueName = ".wh..wh..opq";
    internal const string OpaqueXattr = "trusted.overlay.opaque";

    internal static (WhiteoutKind Kind, string Hidden) Of(string leaf)
    {
        if (leaf == OpaqueName)
            return (WhiteoutKind.Opaque, "");
        if (!leaf.StartsWith(Prefix, StringComparison.Ordinal))
            return (WhiteoutKind.None, "");
        if (leaf.StartsWith(Prefix + Prefix, StringComparison.Ordinal))
            return (WhiteoutKind.Ignored, "");
        var hidden = leaf[Prefix.Length..];
        return hidden is "" or "." or ".."
            ? throw ImageException.Bad($"the layer has a whiteout that names nothing: \"{leaf}\"")
            : (WhiteoutKind.Hides, hidden);
    }
}
