namespace Orchestrator.Worker.Volumes;

/// <summary>One volume's place in the store. Its work is done one piece at a time, in the order it came.</summary>
internal sealed class VolumeEntry(VolumeFolder folder)
{
    private Task last = Task.CompletedTask;

    internal VolumeFolder Folder { get; } = folder;

    /// <summary>Null: there is no such volume now. Changed by its own work only, under the store's guard.</summary>
    internal StoredVolume? Volume { get; set; }

    /// <summary>Containers that use it.</summary>
    internal HashSet<string> Users { get; } = new(StringComparer.Ordinal);

    /// <summary>Containers in which it is mounted now; with a device of its own, the device is mounted while there is one.</summary>
    internal HashSet<string> Mounted { get; } = new(StringComparer.Ordinal);

    /// <summary>Work that was given and is not done; under the store's guard.</summary>
    internal int Pending { get; set; }

    /// <summary>Under the store's guard: appends work.</summary>
    internal Task<T> Then<T>(Func<T> work)
    {
        var next = last.ContinueWith(
            _ => work(), CancellationToken.None, TaskContinuationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
        last = next;
        return next;
    }
}
