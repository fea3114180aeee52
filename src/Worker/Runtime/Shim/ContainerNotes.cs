using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// What the kernel does not tell of a container, for the shim that comes after: written beside its FIFOs, each note once. Whether it runs is asked of
/// the kernel. A note that cannot be read was being written when the shim died.
/// </summary>
internal sealed class ContainerNotes(string directory)
{
    private string LaunchPath => Path.Combine(directory, "launch.json");

    private string StartedPath => Path.Combine(directory, "started.json");

    private string ExitPath => Path.Combine(directory, "exit.json");

    internal LaunchNote? Launch => Read(LaunchPath, NoteJson.Default.LaunchNote);

    internal StartedNote? Started => Read(StartedPath, NoteJson.Default.StartedNote);

    internal ContainerExit? Exit => Read(ExitPath, NoteJson.Default.ContainerExit);

    /// <summary>Before anything of it is made.</summary>
    internal void Write(LaunchNote note) => File.WriteAllBytes(LaunchPath, JsonSerializer.SerializeToUtf8Bytes(note, NoteJson.Default.LaunchNote));

    /// <summary>Its program was executed: from now on it is a container and taken over, before it is a leftover.</summary>
    internal void Write(StartedNote note) => File.WriteAllBytes(StartedPath, JsonSerializer.SerializeToUtf8Bytes(note, NoteJson.Default.StartedNote));

    /// <summary>Its status was collected, and nobody else will be told it again.</summary>
    internal void Write(ContainerExit exit) => File.WriteAllBytes(ExitPath, JsonSerializer.SerializeToUtf8Bytes(exit, NoteJson.Default.ContainerExit));

    /// <summary>Removes the directory, at every moment of which the container is whole or a leftover.</summary>
    internal void Delete()
    {
        File.Delete(StartedPath);
        Directory.Delete(directory, recursive: true);
    }

    private static T? Read<T>(string path, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>What was about to be launched.</summary>
internal sealed record LaunchNote
{
    public required string Id { get; init; }
    public required string CgroupsPath { get; init; }
    public required LogTarget Log { get; init; }

    /// <summary>Without the filter where that is the default one.</summary>
    public Traits Traits { get; init => field = value ?? new Traits(); } = new();

    /// <summary>The capabilities that the default filter is made for, where it is that.</summary>
    public ImmutableArray<string>? DefaultFilterFor { get; init; }

    internal static LaunchNote Of(LaunchRequest request, string cgroupsPath, Traits traits)
    {
        var own = request.Spec.Linux.Seccomp is not null || traits.Filter is null;
        return new LaunchNote
        {
            Id = request.Id,
            CgroupsPath = cgroupsPath,
            Log = request.Log,
            Traits = own ? traits : traits with { Filter = null },
            DefaultFilterFor = own ? null : request.Spec.Process.Capabilities?.Bounding ?? [],
        };
    }
}

/// <summary>The container's first process.</summary>
/// <param name="Pid">As the host counts.</param>
/// <param name="StartTime">The process's own; see <see cref="ProcessStat.StartTime"/>.</param>
/// <param name="StartedAt">When the runtime said it started.</param>
internal sealed record StartedNote(int Pid, ulong StartTime, DateTimeOffset StartedAt);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LaunchNote))]
[JsonSerializable(typeof(StartedNote))]
[JsonSerializable(typeof(ContainerExit))]
[JsonSerializable(typeof(ImmutableArray<string>))]
internal sealed partial class NoteJson : JsonSerializerContext;
