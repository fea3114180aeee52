namespace Orchestrator.Worker.Volumes.Plan;

/// <summary>A local volume's options as one mount(2).</summary>
/// <param name="Source">The device, directory or server's export.</param>
/// <param name="Type">The file system; null for a bind.</param>
/// <param name="Flags">MS_* flags.</param>
/// <param name="Data">What is left for the file system itself.</param>
internal sealed record DeviceMountPlan(string Source, string? Type, ulong Flags, string? Data)
{
    private const ulong Bind = 0x1000;
    private const ulong Recursive = 0x4000;

    private static readonly Dictionary<string, ulong> Words = new(StringComparer.Ordinal)
    {
        ["ro"] = 1, ["nosuid"] = 2, ["nodev"] = 4, ["noexec"] = 8, ["sync"] = 16, ["dirsync"] = 128, ["noatime"] = 0x400, ["nodiratime"] = 0x800,
        ["bind"] = Bind, ["rbind"] = Bind | Recursive, ["relatime"] = 1 << 21, ["strictatime"] = 1 << 24, ["lazytime"] = 1 << 25,
    };

    /// <summary>Words that take a flag away or say what is so anyway.</summary>
    private static readonly string[] Plain = ["rw", "suid", "dev", "exec", "async", "atime", "diratime", "defaults"];

    /// <summary>Null: the volume has no device, its directory is all there is.</summary>
    internal static DeviceMountPlan? Of(IReadOnlyDictionary<string, string> options)
    {
        if (options.GetValueOrDefault("device") is not { Length: > 0 } device)
            return null;
        var flags = 0UL;
        var data = new List<string>();
        foreach (var word in options.GetValueOrDefault("o", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Words.TryGetValue(word, out var flag))
                flags |= flag;
            else if (!Plain.Contains(word))
                data.Add(word);
        }

        var type = options.GetValueOrDefault("type");
        return new DeviceMountPlan(device, (flags & Bind) != 0 || type == "none" ? null : type, flags, data.Count > 0 ? string.Join(',', data) : null);
    }

    /// <summary>The name in <c>addr=NAME</c> of a network file system, which the kernel takes as a number only; null when there is none.</summary>
    internal string? ServerName => Type is "nfs" or "nfs4" or "cifs" or "smb3"
        ? Data?.Split(',').FirstOrDefault(w => w.StartsWith("addr=", StringComparison.Ordinal))?[5..]
        : null;

    /// <summary>The same with the server's address in the place of its name.</summary>
    internal DeviceMountPlan WithServer(string address) => this with
    {
        Data = string.Join(',', Data!.Split(',').Select(w => w.StartsWith("addr=", StringComparison.Ordinal) ? "addr=" + address : w)),
    };
}
