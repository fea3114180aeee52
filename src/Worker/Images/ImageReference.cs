using System.Text.RegularExpressions;

namespace Orchestrator.Worker.Images;

/// <summary>
/// A name of an image: <c>[domain/]path[:tag][@digest]</c>, the grammar of github.com/distribution/reference, with Docker's defaults
/// (<c>busybox</c> is <c>docker.io/library/busybox:latest</c>).
/// </summary>
internal sealed partial record ImageReference
{
    private const string DefaultDomain = "docker.io";
    private const string OfficialPrefix = "library/";
    private const int LongestName = 255;

    private ImageReference(string domain, string path, string? tag, string? digest) =>
        (Domain, Path, Tag, Digest) = (domain, path, tag, digest);

    /// <summary>The registry, <c>docker.io</c> when none was written.</summary>
    public string Domain { get; }

    /// <summary>The repository inside the registry, <c>library/busybox</c>.</summary>
    public string Path { get; }

    /// <summary>The tag; <c>latest</c> when neither tag nor digest was written; null when only a digest was.</summary>
    public string? Tag { get; }

    /// <summary>The manifest's digest, <c>sha256:…</c>, when written.</summary>
    public string? Digest { get; }

    /// <summary>Domain and path: what the index stores under.</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>The repository as people write it.</summary>
    public string FamiliarRepository => Domain != DefaultDomain
        ? Repository
        : Path.StartsWith(OfficialPrefix, StringComparison.Ordinal) && Path.IndexOf('/', OfficialPrefix.Length) < 0
            ? Path[OfficialPrefix.Length..]
            : Path;

    /// <summary>The whole name, normalised.</summary>
    public string Canonical => Repository + Suffix;

    /// <summary>The name as people write it, with the tag.</summary>
    public string Familiar => FamiliarRepository + Suffix;

    private string Suffix => (Tag is null ? "" : $":{Tag}") + (Digest is null ? "" : $"@{Digest}");

    /// <summary>The same repository with another tag and no digest.</summary>
    internal ImageReference WithTag(string tag) => new(Domain, Path, tag, null);

    /// <summary>The same repository by digest alone.</summary>
    internal ImageReference WithDigest(string digest) => new(Domain, Path, null, digest);

    public override string ToString() => Familiar;

    /// <summary>Reads a name, or throws an <see cref="ImageException"/> with the reason.</summary>
    internal static ImageReference Parse(string text) =>
        TryParse(text, out var reference, out var problem) ? reference! : throw ImageException.Invalid(problem!);

    /// <summary>Reads a name; exactly one of the two results is set.</summary>
    internal static bool TryParse(string text, out ImageReference? reference, out string? problem)
    {
        (reference, problem) = Read(text);
        return reference is not null;
    }

    private static (ImageReference?, string?) Read(string text)
    {
        if (text.Length == 0)
            return (null, "invalid reference format: the image name is empty");
        if (HexId().IsMatch(text))
            return (null, $"invalid repository name ({text}): cannot specify 64-byte hexadecimal strings as names");

        var rest = text;
        string? digest = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            (rest, digest) = (rest[..at], rest[(at + 1)..]);
            if (!DigestForm().IsMatch(digest))
                return (null, $"invalid reference format: \"{digest}\" in \"{text}\" is not a digest (sha256: and 64 lower-case hexadecimal digits)");
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and var colon && colon > rest.LastIndexOf('/'))
        {
            (rest, tag) = (rest[..colon], rest[(colon + 1)..]);
            if (!TagForm().IsMatch(tag))
                return (null, $"invalid reference format: \"{tag}\" in \"{text}\" is not a tag (letters, digits, _ . -, at most 128, not starting with . or -)");
        }

        var (domain, path) = SplitDomain(rest);
        if (path.Any(char.IsAsciiLetterUpper))
            return (null, $"invalid reference format: repository name ({rest}) must be lowercase");
        if (!PathForm().IsMatch(path) || !DomainForm().IsMatch(domain))
            return (null, $"invalid reference format: \"{text}\" is not an image name ([registry/]name[:tag][@digest])");
        if (domain.Length + 1 + path.Length > LongestName)
            return (null, $"invalid reference format: repository name must not be more than {LongestName} characters");
        return (new(domain, path, tag ?? (digest is null ? "latest" : null), digest), null);
    }

    // The first component is a registry when it could not be a user's name: a dot, a port, "localhost" or an upper-case letter.
    private static (string Domain, string Path) SplitDomain(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var hasDomain = slash >= 0
            && (first.Contains('.') || first.Contains(':') || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var (domain, path) = hasDomain ? (first, name[(slash + 1)..]) : (DefaultDomain, name);
        if (domain == "index.docker.io")
            domain = DefaultDomain;
        if (domain == DefaultDomain && !path.Contains('/'))
            path = OfficialPrefix + path;
        return (domain, path);
    }

    [GeneratedRegex(@"\A[a-f0-9]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex HexId();

    [GeneratedRegex(@"\Asha256:[a-f0-9]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestForm();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TagForm();

    [GeneratedRegex(@"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathForm();

    [GeneratedRegex(@"\A(?:\[[a-fA-F0-9:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainForm();
}
