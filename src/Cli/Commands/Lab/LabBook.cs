using System.Text.Json;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>The lab's file, held by one command at a time: each change is on the disk, whole, before the command goes on.</summary>
internal sealed class LabBook : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly LabPlace _place;
    private readonly FileStream _held;
    private readonly Lock _turn = new();

    private LabBook(LabPlace place, FileStream held, LabState? current)
    {
        _place = place;
        _held = held;
        Current = current;
    }

    /// <summary>Null: no lab, or one whose file was never written.</summary>
    internal LabState? Current { get; private set; }

    /// <summary>Waits for its turn.</summary>
    internal static async Task<LabBook> OpenAsync(LabPlace place, TimeProvider time, CancellationToken stop)
    {
        var held = await HoldAsync(place, time, stop);
        try
        {
            return new LabBook(place, held, Read(place));
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same for whoever takes the lab away: a file that cannot be read is no lab.</summary>
    internal static async Task<LabBook> OpenUnreadAsync(LabPlace place, TimeProvider time, CancellationToken stop)
    {
        var held = await HoldAsync(place, time, stop);
        LabState? state;
        try
        {
            state = Read(place);
        }
        catch (CommandException)
        {
            state = null;
        }

        return new LabBook(place, held, state);
    }

    private static async Task<FileStream> HoldAsync(LabPlace place, TimeProvider time, CancellationToken stop)
    {
        Directory.CreateDirectory(place.Root);
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                // FileShare.None is flock(LOCK_EX | LOCK_NB): the kernel lets go of it however the process ends.
                return new FileStream(place.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(place.LockFile) && time.GetElapsedTime(began) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), time, stop);
            }
            catch (IOException e) when (File.Exists(place.LockFile))
            {
                throw new CommandException($"another orch lab command has been at work on lab '{place.Name}' for {Patience.TotalMinutes:F0} minutes: {e.Message}");
            }
        }
    }

    /// <summary>As of this boot; null when there is no lab.</summary>
    /// <exception cref="CommandException">The file cannot be read.</exception>
    internal static LabState? Read(LabPlace place)
    {
        if (!File.Exists(place.StateFile))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(place.StateFile), LabJson.Default.LabState)?.In(Boot());
        }
        catch (JsonException e)
        {
            throw new CommandException($"{place.StateFile} cannot be read: {e.Message}; 'orch lab down --name {place.Name}' takes the lab away without it");
        }
    }

    internal static string Boot() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    internal void Change(Func<LabState, LabState> change)
    {
        lock (_turn)
            Write(change(Current ?? throw new InvalidOperationException("there is no lab to change")));
    }

    internal void Write(LabState state)
    {
        lock (_turn)
        {
            Directory.CreateDirectory(_place.Folder);
            var next = _place.StateFile + ".new";
            using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
            {
                JsonSerializer.Serialize(file, state, LabJson.Default.LabState);
                file.Flush(flushToDisk: true);
            }

            File.Move(next, _place.StateFile, overwrite: true);
            Current = state;
        }
    }

    /// <summary>Takes the lock's file away too: the lab is gone.</summary>
    internal void Forget()
    {
        Current = null;
        File.Delete(_place.LockFile);
    }

    public void Dispose() => _held.Dispose();
}
