using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Lab;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Lab;

internal sealed partial class LabRig
{
    /// <summary>
    /// Takes everything of the lab away, whatever state it is in: also what is not written down, known by its cgroups. Waits until the kernel has done with
    /// it. Answers what is left, each with its reason.
    /// </summary>
    internal async Task<IReadOnlyList<string>> TakeDownAsync(CancellationToken stop)
    {
        var known = book.Current is { } state ? state.Hosts.Select(h => h.Name) : [];
        var left = new List<string>();
        var inside = LabNamespaces.Inside(Namespaces());
        var networks = (book.Current?.Hosts ?? []).Select(Network).OfType<SafeFileHandle>().ToList();
        var hosts = known.Concat(_groups.Children()).Where(h => h != LabPlace.Switch).Distinct(StringComparer.Ordinal);
        foreach (var refusals in await Task.WhenAll(hosts.Select(h => _groups.Of(h).RemoveAsync(stop))))
            left.AddRange(refusals);
        foreach (var ns in networks)
        {
            using (ns)
                await LabHost.ForgetConnectionsAsync(ns);
        }

        // A host's network namespace is taken apart some time after its last process; then its port at the switch is gone.
        if (book.Current?.Switch?.Process.IsAlive == true)
            await UnpluggedAsync(stop);
        left.AddRange(await _groups.RemoveAsync(stop));
        left.AddRange(await LabNamespaces.EmptyAsync(Namespaces(), inside, shell.Time, stop));
        if (left.Count > 0)
            return left;
        foreach (var point in Mounts.Below(place.Folder))
            Mounts.Unmount(point);
        if (Directory.Exists(place.Folder))
            Directory.Delete(place.Folder, recursive: true);
        book.Forget();
        if (Directory.Exists(place.Root) && !Directory.EnumerateFileSystemEntries(place.Root).Any())
            Directory.Delete(place.Root);
        return [];
    }

    private IEnumerable<(string Host, string Namespace)> Namespaces() => book.Current is not { } state ? [] :
        state.Hosts.Select(h => (h.Name, h.Holder)).Append((LabPlace.Switch, state.Switch))
            .SelectMany(h => (h.Item2?.Namespaces ?? []).Select(ns => (h.Item1, ns)));

    /// <summary>
    /// Not for ever: where a process is in the namespace, it is told below who; and without one the kernel itself ends it, in minutes, when the last
    /// connection has given up.
    /// </summary>
    private async Task UnpluggedAsync(CancellationToken stop)
    {
        var began = shell.Time.GetTimestamp();
        IReadOnlyList<string> ports = [];
        do
        {
            if (ports.Count > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(5), shell.Time, stop);
            await OnSwitchAsync(async lan => ports = await lan.PortsAsync());
        }
        while (ports.Count > 0 && shell.Time.GetElapsedTime(began) < Patience);
        foreach (var port in ports)
            await OnSwitchAsync(lan => lan.UnplugAsync(port));
    }
}
