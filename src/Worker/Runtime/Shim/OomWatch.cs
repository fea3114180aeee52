using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Sees at once when a container runs out of memory, also when it lives on. v2's memory.events is a file that changes, v1 raises an eventfd
/// (memory.txt, section 10). All members are for the event loop's thread.
/// </summary>
internal sealed class OomWatch(EventLoop loop, Action<Container> outOfMemory) : IDisposable
{
    private readonly Dictionary<Container, (SafeFileHandle Event, ulong Token)> legacy = [];
    private readonly Dictionary<int, (Container Container, long Kills)> unified = [];
    private readonly List<int> changed = [];
    private Inotify? inotify;

    internal void Start(Container container)
    {
        if (container.Cgroup.LegacyMemory is { } directory)
            StartLegacy(container, directory);
        else if (container.Cgroup.UnifiedMemoryEvents is { } file)
            unified[Changes.WatchFile(file)] = (container, container.Cgroup.OomKills());
    }

    internal void Stop(Container container)
    {
        if (legacy.Remove(container, out var watched))
        {
            loop.Forget(watched.Event, watched.Token);
            watched.Event.Dispose();
        }
        foreach (var (watch, _) in unified.Where(u => u.Value.Container == container).ToList())
        {
            unified.Remove(watch);
            inotify!.Unwatch(watch);
        }
    }

    public void Dispose()
    {
        foreach (var (fd, _) in legacy.Values)
            fd.Dispose();
        inotify?.Dispose();
    }

    /// <summary>One for all containers: a user has 128 of them.</summary>
    private Inotify Changes
    {
        get
        {
            if (inotify is null)
            {
                inotify = new Inotify();
                loop.Watch(inotify.Descriptor, Changed);
            }
            return inotify;
        }
    }

    private void StartLegacy(Container container, string directory)
    {
        if (!File.Exists($"{directory}/cgroup.event_control"))
            return; // a kernel with PREEMPT_RT has none: the exit tells then
        var raised = EventFd.Make();
        using (var control = KernelFile.Open($"{directory}/memory.oom_control", KernelFile.ReadOnly))
            KernelFile.Write($"{directory}/cgroup.event_control", $"{raised.DangerousGetHandle()} {control.DangerousGetHandle()}");
        legacy[container] = (raised, loop.Watch(raised, () =>
        {
            if (EventFd.Take(raised) > 0)
                outOfMemory(container);
        }));
    }

    private void Changed()
    {
        Span<byte> buffer = stackalloc byte[4096];
        inotify!.Read(buffer, changed);
        foreach (var watch in changed)
        {
            // Any event of memory changes the file, a reclaim under memory.high too.
            if (!unified.TryGetValue(watch, out var known) || known.Container.Cgroup.OomKills() is var kills && kills <= known.Kills)
                continue;
            unified[watch] = (known.Container, kills);
            outOfMemory(known.Container);
        }
    }
}
