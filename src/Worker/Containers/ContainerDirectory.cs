using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers;

/// <summary>The directory of one container below <c>DATA-ROOT/containers</c>: its records, generated files, log and what it wrote.</summary>
/// <remarks>
/// Records replace each other by rename and are not synced to disk: a crash of the daemon loses nothing, since the page cache is the kernel's.
/// A crash of the machine ends every container anyway; what is then unreadable is removed as half-made, and the cluster makes its tasks anew.
/// A sync costs milliseconds where a whole start costs four.
/// </remarks>
internal sealed class ContainerDirectory(string containersRoot, string id)
{
    private const string ConfigName = "config.json";
    private const string StateName = "state.json";

    internal string Root { get; } = Path.Combine(containersRoot, id);
    internal string Upper => Path.Combine(Root, "upper");
    internal string Work => Path.Combine(Root, "work");
    internal string Merged => Path.Combine(Root, "merged");
    internal string Log => Path.Combine(Root, id + "-json.log");

    /// <summary>The log of the driver <c>local</c>, where Docker has it.</summary>
    internal string LocalLog => Path.Combine(Root, "local-logs", "container.log");

    /// <summary>Shared memory that other containers may join.</summary>
    internal string Shm => Path.Combine(Root, "shm");

    internal string File(string name) => Path.Combine(Root, name);

    internal void Create()
    {
        // Only root looks into a container's directory: layers hold set-uid programs.
        Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Upper);
        Directory.CreateDirectory(Work);
        Directory.CreateDirectory(Merged);
        Directory.CreateDirectory(Path.GetDirectoryName(LocalLog)!);
    }

    /// <summary>The layer of an image that has none.</summary>
    internal string MakeEmpty() => Directory.CreateDirectory(File("empty")).FullName;

    internal void Write(StoredContainer container) => Replace(ConfigName, JsonSerializer.SerializeToUtf8Bytes(container, ContainerJson.Default.StoredContainer));

    internal void Write(StoredState state) => Replace(StateName, JsonSerializer.SerializeToUtf8Bytes(state, ContainerJson.Default.StoredState));

    /// <summary>Null: not there or not readable, so half-made.</summary>
    internal StoredContainer? ReadContainer() => Read(ConfigName, ContainerJson.Default.StoredContainer);

    internal StoredState? ReadState() => Read(StateName, ContainerJson.Default.StoredState);

    /// <summary>Once what it is has gone, the rest is a leftover: a crash in between cannot bring back half a container.</summary>
    internal void Delete()
    {
        UnmountShm();
        if (!Directory.Exists(Root))
            return;
        System.IO.File.Delete(File(ConfigName));
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>What was mounted for sharing; a crash may have left it.</summary>
    internal void UnmountShm()
    {
        if (!Directory.Exists(Shm))
            return;
        foreach (var point in Mounts.Below(Shm))
            Mounts.Unmount(point);
    }

    private void Replace(string name, byte[] content)
    {
        var next = File(name + ".next");
        System.IO.File.WriteAllBytes(next, content);
        System.IO.File.Move(next, File(name), overwrite: true);
    }

    private T? Read<T>(string name, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(File(name)), type);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }
}
