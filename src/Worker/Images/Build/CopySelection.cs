using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Build;

/// <summary>One entry of the layer that COPY or ADD makes.</summary>
/// <param name="Entry">The entry as it is written.</param>
/// <param name="HostPath">Where a regular file's content is; empty for an entry without content.</param>
/// <param name="Archive">For an archive that ADD unpacks: where its entries go is <see cref="TarEntry.Name"/>.</param>
internal sealed record CopyItem(TarEntry Entry, string HostPath, bool Archive = false);

/// <summary>What COPY or ADD says, after substitution.</summary>
internal sealed record CopyRequest
{
    public required string Keyword { get; init; }
    public required ImmutableArray<string> Sources { get; init; }

    /// <summary>As written; a slash at its end means a directory.</summary>
    public required string Destination { get; init; }

    public required string WorkingDir { get; init; }

    /// <summary>uid and gid that everything gets; 0:0 without --chown.</summary>
    public (uint Uid, uint Gid) Owner { get; init; }

    /// <summary>Permission bits that everything gets; null keeps each source's.</summary>
    public uint? Mode { get; init; }

    /// <summary>What .dockerignore keeps out; nothing for COPY --from.</summary>
    public DockerIgnore Ignore { get; init; } = DockerIgnore.Nothing;
}

/// <summary>Reads the trees and selects which entries a COPY or ADD puts where.</summary>
internal sealed class CopySelection
{
    private readonly LayeredView _from;
    private readonly LayeredView _to;
    private readonly CopyRequest _request;
    private readonly List<CopyItem> _items = [];
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);

    private CopySelection(LayeredView from, LayeredView to, CopyRequest request) => (_from, _to, _request) = (from, to, request);

    /// <summary>Entries in the order in which they are written, parents first.</summary>
    /// <exception cref="ImageException">A source is missing or outside, or the destination does not fit.</exception>
    internal static ImmutableArray<CopyItem> Of(LayeredView from, LayeredView to, CopyRequest request)
    {
        var plan = new CopySelection(from, to, request);
        plan.Run();
        return [.. plan._items];
    }

    /// <summary>The entries that make one directory with those above it (WORKDIR); none when it exists.</summary>
    internal static ImmutableArray<CopyItem> OfDirectory(LayeredView to, string path)
    {
        if (to.Find(path) is { } there)
        {
            return there.Status.Kind == FileKind.Directory
                ? []
                : throw ImageException.Invalid($"WORKDIR failed: {path} exists and is not a directory");
        }
        var plan = new CopySelection(to, to, new() { Keyword = "WORKDIR", Sources = [], Destination = path, WorkingDir = "/" });
        plan.Folder(to.Resolve(path).Trim('/'));
        return [.. plan._items];
    }

    internal static uint? Mode(string octal)
    {
        if (octal.Length is 0 or > 5 || octal.Any(c => c is < '0' or > '7'))
            return null;
        var mode = Convert.ToUInt32(octal, 8);
        return mode <= 0xfff ? mode : null;
    }

    /// <summary>What decides whether an earlier result can be used: names, attributes and content, not times.</summary>
    internal static string Hash(ImmutableArray<CopyItem> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (entry, host, archive) in items)
        {
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{entry.Name}\0{entry.Kind}\0{entry.Mode}\0{entry.Uid}\0{entry.Gid}\0{entry.Size}\0{entry.LinkName}\0{archive}\0");
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(line));
            foreach (var (name, value) in entry.Xattrs)
            {
                hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name));
                hash.AppendData(value.AsSpan());
            }
            if (host.Length == 0)
                continue;
            using var content = File.OpenRead(host);
            hash.AppendData(SHA256.HashData(content));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Run()
    {
        var sources = _request.Sources.SelectMany(Expand).ToList();
        var destination = ConfigChanges.Join(_request.WorkingDir, _request.Destination);
        var target = _to.Resolve(destination).Trim('/');
        var existing = _to.Find(destination);
        var isFolder = _request.Destination.EndsWith('/') || _request.Destination is "." or ".." || existing?.Status.Kind == FileKind.Directory;
        if (sources.Count > 1 && !isFolder)
            throw Failed($"with more than one source file the destination must be a directory and end with a /, {_request.Destination} does not");
        foreach (var (source, name) in sources)
        {
            if (source.Status.Kind == FileKind.Directory)
            {
                if (existing is not null && existing.Status.Kind != FileKind.Directory)
                    throw Failed($"cannot copy the directory {source.Path} over the file {_request.Destination}");
                Folder(target);
                Children(source, target);
            }
            else
            {
                One(source, name, target, isFolder);
            }
        }
    }

    private void One(ViewNode source, string name, string target, bool intoFolder)
    {
        if (_request.Keyword == "ADD" && source.Status.Kind == FileKind.Regular && IsArchive(source.HostPath))
        {
            Folder(target);
            var entry = new TarEntry { Name = target, Kind = TarKind.Directory };
            _items.Add(new(entry, source.HostPath, Archive: true));
            return;
        }
        if (intoFolder)
        {
            Folder(target);
            Put(source, Under(target, name));
            return;
        }
        Folder(EntryPath.Split(target).Parent);
        Put(source, target);
    }

    private void Children(ViewNode folder, string target)
    {
        foreach (var name in LayeredView.List(folder))
        {
            var path = Under(folder.Path, name);
            var child = _from.FindLink(path)!;
            var below = Under(target, name);
            if (child.Status.Kind != FileKind.Directory)
            {
                if (!_request.Ignore.Excludes(path))
                    Put(child, below);
                continue;
            }
            // An exclusion of a directory may be lifted for something inside it.
            if (!_request.Ignore.Excludes(path))
            {
                _folders.Add(below);
                Put(child, below);
            }
            Children(child, below);
        }
    }

    private void Put(ViewNode source, string name)
    {
        if (HostEntries.Describe(source.HostPath, name, source.Status) is not { } entry)
            return;
        Folder(EntryPath.Split(name).Parent);
        entry = entry with
        {
            Uid = _request.Owner.Uid,
            Gid = _request.Owner.Gid,
            Mode = entry.Kind == TarKind.Symlink ? entry.Mode : _request.Mode ?? entry.Mode,
        };
        _items.Add(new(entry, entry.Size > 0 ? source.HostPath : ""));
    }

    /// <summary>Writes a directory and those above once: with the image's attributes where it has them, since the top layer's count.</summary>
    private void Folder(string path)
    {
        if (path.Length == 0 || !_folders.Add(path))
            return;
        Folder(EntryPath.Split(path).Parent);
        if (_to.FindLink(path) is { Status.Kind: FileKind.Directory } node)
            _items.Add(new(HostEntries.Describe(node.HostPath, path, node.Status)!, ""));
        else
            _items.Add(new(new() { Name = path + "/", Kind = TarKind.Directory, Mode = 0x1ed, Uid = _request.Owner.Uid, Gid = _request.Owner.Gid }, ""));
    }

    /// <summary>The files a source names, each with the name it gets in a directory: a link is followed, but its own name counts.</summary>
    private List<(ViewNode Node, string Name)> Expand(string source)
    {
        var parts = source.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").ToArray();
        var depth = 0;
        foreach (var part in parts)
        {
            depth += part == ".." ? -1 : 1;
            if (depth < 0)
                throw Failed($"forbidden path outside the build context: {source}");
        }
        List<(ViewNode, string)> found = [];
        if (PathPattern.HasMagic(source))
            found = [.. Match(_from.Find("")!, parts)];
        else if (_from.Find(string.Join('/', parts)) is { } node && (node.Status.Kind == FileKind.Directory || !_request.Ignore.Excludes(node.Path)))
            found = [(node, parts.LastOrDefault() ?? "")];
        return found.Count > 0 ? found : throw Failed($"file not found in build context or excluded by .dockerignore: stat {source}: file does not exist");
    }

    private IEnumerable<(ViewNode Node, string Name)> Match(ViewNode folder, ReadOnlyMemory<string> parts)
    {
        var pattern = PathPattern.Compile(parts.Span[0]);
        foreach (var name in LayeredView.List(folder).Where(n => pattern.IsMatch(n)))
        {
            if (_from.Find(Under(folder.Path, name)) is not { } node)
                continue;
            if (parts.Length > 1)
            {
                if (node.Status.Kind != FileKind.Directory)
                    continue;
                foreach (var below in Match(node, parts[1..]))
                    yield return below;
            }
            else if (!_request.Ignore.Excludes(node.Path))
            {
                yield return (node, name);
            }
        }
    }

    private static bool IsArchive(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            using var plain = Compression.Open(file, Path.GetFileName(path));
            return new TarScanner(plain).Next() is not null;
        }
        catch (Exception e) when (e is InvalidDataException || (e is ImageException && file.Length < TarHeader.BlockSize))
        {
            return false;
        }
        catch (ImageException e) when (!e.Message.Contains("compressed with", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private ImageException Failed(string why) => ImageException.Invalid($"{_request.Keyword} failed: {why}");

    private static string Under(string parent, string leaf) => parent.Length == 0 ? leaf : $"{parent}/{leaf}";
}
