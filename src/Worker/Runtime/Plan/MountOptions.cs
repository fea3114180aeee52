using System.Collections.Immutable;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>mount(8) words sorted by what obeys them.</summary>
internal sealed record MountOptions
{
    internal const ulong ReadOnly = 1;
    internal const ulong NoSuid = 2;
    internal const ulong NoDev = 4;
    internal const ulong NoExec = 8;
    internal const ulong Remount = 32;
    internal const ulong BindFlag = 0x1000;
    internal const ulong RecursiveFlag = 0x4000;
    internal const ulong Private = 1 << 18;
    internal const ulong Slave = 1 << 19;
    internal const ulong Shared = 1 << 20;
    internal const ulong Unbindable = 1 << 17;

    private const ulong NoAtime = 0x400;
    private const ulong NoDirAtime = 0x800;
    private const ulong RelAtime = 1 << 21;
    private const ulong StrictAtime = 1 << 24;

    /// <summary>MS_* flags for a new file system.</summary>
    public ulong Flags { get; init; }

    /// <summary>MS_* propagation flag, with MS_REC when it is for all below.</summary>
    public ulong? Propagation { get; init; }

    public bool Bind { get; init; }
    public bool Recursive { get; init; }

    /// <summary>Owners are shown through the container's own mapping (<c>idmap</c>, <c>ridmap</c>: also below).</summary>
    public bool MapOwners { get; init; }

    public bool MapOwnersBelow { get; init; }

    /// <summary>MOUNT_ATTR_* of the mount itself and of everything below it.</summary>
    public ulong AttributesSet { get; init; }

    public ulong AttributesCleared { get; init; }
    public ulong RecursiveAttributesSet { get; init; }
    public ulong RecursiveAttributesCleared { get; init; }

    /// <summary>What is left for the file system itself (<c>size=64m,mode=1777</c>).</summary>
    public string? Data { get; init; }

    private static readonly ImmutableDictionary<string, (ulong Set, ulong Clear)> FlagWords = new Dictionary<string, (ulong, ulong)>
    {
        ["ro"] = (ReadOnly, 0),
        ["rw"] = (0, ReadOnly),
        ["nosuid"] = (NoSuid, 0),
        ["suid"] = (0, NoSuid),
        ["nodev"] = (NoDev, 0),
        ["dev"] = (0, NoDev),
        ["noexec"] = (NoExec, 0),
        ["exec"] = (0, NoExec),
        ["sync"] = (16, 0),
        ["async"] = (0, 16),
        ["dirsync"] = (128, 0),
        ["noatime"] = (NoAtime, 0),
        ["atime"] = (0, NoAtime),
        ["nodiratime"] = (NoDirAtime, 0),
        ["diratime"] = (0, NoDirAtime),
        ["relatime"] = (RelAtime, 0),
        ["norelatime"] = (0, RelAtime),
        ["strictatime"] = (StrictAtime, 0),
        ["nostrictatime"] = (0, StrictAtime),
        ["defaults"] = (0, 0),
    }.ToImmutableDictionary();

    private static readonly ImmutableDictionary<string, ulong> PropagationWords = new Dictionary<string, ulong>
    {
        ["private"] = Private,
        ["rprivate"] = Private | RecursiveFlag,
        ["slave"] = Slave,
        ["rslave"] = Slave | RecursiveFlag,
        ["shared"] = Shared,
        ["rshared"] = Shared | RecursiveFlag,
        ["unbindable"] = Unbindable,
        ["runbindable"] = Unbindable | RecursiveFlag,
    }.ToImmutableDictionary();

    internal static MountOptions Parse(ImmutableArray<string> words)
    {
        var result = new MountOptions();
        var data = new List<string>();
        foreach (var word in words)
        {
            if (word is "bind" or "rbind")
                result = result with { Bind = true, Recursive = word == "rbind" };
            else if (FlagWords.TryGetValue(word, out var flag))
                result = result.With(flag.Set, flag.Clear);
            else if (PropagationWords.TryGetValue(word, out var propagation))
                result = result with { Propagation = propagation };
            else if (word.StartsWith('r') && FlagWords.TryGetValue(word[1..], out var below))
                result = result.WithRecursive(below.Set, below.Clear);
            else if (word is "idmap" or "ridmap")
                result = result with { MapOwners = true, MapOwnersBelow = word == "ridmap" };
            else if (word is "tmpcopyup")
                throw new RuntimeException($"The mount option {word} is not supported.");
            else
                data.Add(word);
        }
        return result with { Data = data.Count > 0 ? string.Join(',', data) : null };
    }

    internal static ulong? ParsePropagation(string? word) => string.IsNullOrEmpty(word) ? null
        : PropagationWords.TryGetValue(word, out var flag) ? flag
        : throw new RuntimeException($"'{word}' is not a mount propagation.");

    private MountOptions With(ulong set, ulong clear) => this with
    {
        Flags = (Flags | set) & ~clear,
        AttributesSet = (AttributesSet | Attributes(set)) & ~Attributes(clear),
        AttributesCleared = (AttributesCleared & ~Attributes(set)) | Attributes(clear),
    };

    private MountOptions WithRecursive(ulong set, ulong clear) => this with
    {
        RecursiveAttributesSet = (RecursiveAttributesSet | Attributes(set)) & ~Attributes(clear),
        RecursiveAttributesCleared = (RecursiveAttributesCleared & ~Attributes(set)) | Attributes(clear),
    };

    /// <summary>MOUNT_ATTR_* has the first four bits in common with MS_*; access times differ.</summary>
    private static ulong Attributes(ulong flags) =>
        (flags & (ReadOnly | NoSuid | NoDev | NoExec))
        | ((flags & NoAtime) != 0 ? 0x10UL : 0)
        | ((flags & StrictAtime) != 0 ? 0x20UL : 0)
        | ((flags & NoDirAtime) != 0 ? 0x80UL : 0);
}
