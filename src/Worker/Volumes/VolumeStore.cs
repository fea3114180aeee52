using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Worker.Volumes;

/// <summary>Where volumes are kept and who is told.</summary>
internal sealed record VolumeStoreOptions
{
    /// <summary><c>DATA-ROOT/volumes</c>.</summary>
    public required string Root { get; init; }

    public required TimeProvider Time { get; init; }
    public required ILogger<VolumeStore> Log { get; init; }
    public Action<VolumeEvent> OnEvent { get; init; } = _ => { };
}

/// <summary>The volumes of this host and who uses them.</summary>
internal sealed partial class VolumeStore(VolumeStoreOptions options)
{
    /// <summary>The label by which Docker knows a volume whose name nobody gave.</summary>
    internal const string AnonymousLabel = "com.docker.volume.anonymous";

    private readonly Lock guard = new();
    private readonly Dictionary<string, VolumeEntry> entries = new(StringComparer.Ordinal);

    /// <summary>A name for a volume that the user did not name.</summary>
    internal static string InventName() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>The directory of a volume, whether it exists or not.</summary>
    internal string MountpointOf(string name) => FolderOf(name).Data;

    /// <summary>Makes a volume; one of that name that is there already is the answer, unless it has other options.</summary>
    /// <exception cref="VolumeException">The request cannot work, or the volume is there with other options.</exception>
    internal Task<VolumeView> CreateAsync(VolumeCreateRequest request, CancellationToken stop)
    {
        var problems = new List<Problem>();
        VolumeRequestPlan.Check(request, problems);
        if (problems.Count > 0)
            throw VolumeException.Invalid(problems);
        if (request.Name.Length == 0)
        {
            request = request with
            {
                Name = InventName(),
                Labels = new Dictionary<string, string>(request.Labels, StringComparer.Ordinal) { [AnonymousLabel] = "" },
            };
        }

        return DoAsync(request.Name, entry =>
        {
            Ensure(entry, request);
            lock (guard)
                return View(entry);
        }, stop);
    }

    /// <summary>As <see cref="CreateAsync"/>, for a container that uses it from now on; true when the volume was made.</summary>
    internal Task<bool> HoldAsync(VolumeCreateRequest request, string user, CancellationToken stop) => DoAsync(request.Name, entry =>
    {
        var made = Ensure(entry, request);
        lock (guard)
            entry.Users.Add(user);
        return made;
    }, stop);

    /// <summary>The container uses none of the volumes any more.</summary>
    internal async Task ReleaseAsync(IEnumerable<string> names, string user)
    {
        foreach (var name in names)
        {
            await DoAsync(name, entry =>
            {
                Unmount(entry, user, null);
                lock (guard)
                    return entry.Users.Remove(user);
            }, CancellationToken.None);
        }
    }

    /// <exception cref="VolumeException">There is none, or a container uses it.</exception>
    internal Task RemoveAsync(string name, CancellationToken stop) => DoAsync(name, entry =>
    {
        if (entry.Volume is null)
            throw VolumeException.NotFound(name);
        if (Remove(entry) is { Count: > 0 } users)
            throw new VolumeException(VolumeFault.Conflict, $"remove {name}: volume is in use - [{string.Join(", ", users)}]");
        return true;
    }, stop);

    /// <summary>Removes it unless somebody uses it; false when it stays, or is not there.</summary>
    internal Task<bool> RemoveUnusedAsync(string name, CancellationToken stop) =>
        DoAsync(name, entry => entry.Volume is not null && Remove(entry).Count == 0, stop);

    /// <summary>Removes volumes that nobody uses, and tells how many bytes that gave back.</summary>
    /// <param name="named">Those with a name of the user's too; else only anonymous ones.</param>
    /// <param name="filter">What the user restricted it to.</param>
    /// <param name="stop">Cancels between two volumes.</param>
    internal async Task<(IReadOnlyList<string> Removed, long Bytes)> PruneAsync(bool named, VolumeFilter filter, CancellationToken stop)
    {
        var (removed, bytes) = (new List<string>(), 0L);
        foreach (var name in VolumePrunePlan.Of(List(), named, filter))
        {
            var size = await SizeAsync(name, stop);
            if (!await RemoveUnusedAsync(name, stop))
                continue;
            removed.Add(name);
            bytes += size;
        }

        return (removed, bytes);
    }

    /// <summary>Every volume, by name.</summary>
    internal IReadOnlyList<VolumeView> List()
    {
        lock (guard)
            return [.. entries.Values.Where(e => e.Volume is not null).OrderBy(e => e.Volume!.Name, StringComparer.Ordinal).Select(View)];
    }

    /// <summary>Null: there is none.</summary>
    internal VolumeView? Find(string name)
    {
        lock (guard)
            return entries.GetValueOrDefault(name) is { Volume: not null } entry ? View(entry) : null;
    }

    /// <summary>Bytes in a volume's directory.</summary>
    internal Task<long> SizeAsync(string name, CancellationToken stop) => Task.Run(() => TreeSize.Of(MountpointOf(name), stop), stop);

    private VolumeView View(VolumeEntry entry) => new(entry.Volume!, entry.Folder.Data, [.. entry.Users.Order(StringComparer.Ordinal)]);

    private VolumeFolder FolderOf(string name) => new(options.Root, name);

    /// <summary>In the volume's turn.</summary>
    private bool Ensure(VolumeEntry entry, VolumeCreateRequest request)
    {
        if (entry.Volume is { } there)
        {
            // A request without options takes the volume as it is; labels are the volume's own from its making, as in Docker.
            if (request.DriverOpts.Count > 0 && !SameOptions(there.Options, request.DriverOpts))
            {
                throw new VolumeException(
                    VolumeFault.Conflict, $"create {request.Name}: conflict: volume name must be unique: there is one with other options ({Words(there.Options)} instead of {Words(request.DriverOpts)})");
            }

            return false;
        }

        var volume = new StoredVolume
        {
            Name = request.Name, Created = options.Time.GetUtcNow(), Labels = request.Labels, Options = request.DriverOpts,
        };
        Guarded($"create volume {request.Name}", () => entry.Folder.Create(volume));
        lock (guard)
            entry.Volume = volume;
        Tell("create", volume.Name);
        return true;
    }

    /// <summary>In the volume's turn: who prevented it; empty when it is gone.</summary>
    private IReadOnlyList<string> Remove(VolumeEntry entry)
    {
        lock (guard)
        {
            if (entry.Users.Count > 0)
                return [.. entry.Users.Order(StringComparer.Ordinal)];
        }

        // Never delete through a mount: what is on the device is not ours.
        var name = entry.Volume!.Name;
        Guarded($"remove volume {name}", () =>
        {
            foreach (var point in Mounts.Below(entry.Folder.Data))
                Mounts.Unmount(point);
            entry.Folder.Delete();
        });
        lock (guard)
            entry.Volume = null;
        Tell("destroy", name);
        return [];
    }

    private Task<T> DoAsync<T>(string name, Func<VolumeEntry, T> work, CancellationToken stop)
    {
        VolumeEntry entry;
        lock (guard)
        {
            if (!entries.TryGetValue(name, out entry!))
                entries.Add(name, entry = new VolumeEntry(FolderOf(name)));
            entry.Pending++;
            return entry.Then(Turn).WaitAsync(stop);
        }

        T Turn()
        {
            try
            {
                return work(entry);
            }
            finally
            {
                Done();
            }
        }

        void Done()
        {
            lock (guard)
            {
                if (--entry.Pending == 0 && entry is { Volume: null, Users.Count: 0 })
                    entries.Remove(name);
            }
        }
    }

    private void Tell(string action, string name, params ReadOnlySpan<(string Key, string Value)> more)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal) { ["driver"] = VolumeRequestPlan.Driver };
        foreach (var (key, value) in more)
            attributes[key] = value;
        options.OnEvent(new VolumeEvent(action, name, attributes));
    }

    private static void Guarded(string what, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VolumeException(VolumeFault.Failed, $"{what}: {e.Message}", e);
        }
    }

    private static bool SameOptions(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        a.Count == b.Count && a.All(o => b.TryGetValue(o.Key, out var other) && other == o.Value);

    private static string Words(IReadOnlyDictionary<string, string> options) => options.Count == 0
        ? "none"
        : string.Join(' ', options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value}"));
}
