using System.Collections.Immutable;
using System.Globalization;
using System.Net.NetworkInformation;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Worker.Diagnosis;

/// <summary>Reads what a host offers, and tries in a namespace of its own what cannot be read.</summary>
internal static class HostProber
{
    private const string NoRoot = "only root can try";

    internal static async Task<HostProbe> ReadAsync(string dataRoot)
    {
        var layout = CgroupLayout.Discover();
        var legacy = layout.Legacy.SelectMany(h => h.Controllers).ToList();
        var root = Environment.IsPrivilegedProcess;
        return new HostProbe
        {
            Root = root,
            Kernel = Environment.OSVersion.Version,
            Namespaces = [.. Directory.EnumerateFileSystemEntries("/proc/self/ns").Select(f => Path.GetFileName(f)!)],
            FileSystems = [.. File.ReadLines("/proc/filesystems").Select(l => l.Split('\t')[^1])],
            Controllers = [.. legacy, .. layout.UnifiedControllers],
            CgroupVersion = legacy.Count == 0 ? "2" : layout.Unified is null ? "1" : "hybrid",
            SwapAccounting = layout.SwapAccounting || layout.UnifiedControllers.Contains("memory"),
            SeccompActions = File.Exists("/proc/sys/kernel/seccomp/actions_avail")
                ? [.. (await File.ReadAllTextAsync("/proc/sys/kernel/seccomp/actions_avail")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)]
                : [],
            Capabilities = Self.PermittedCapabilities(),
            Network = await TryNetworkAsync(root),
            ForeignForwardDrop = root && ForeignDrop(),
            FreeBytes = new DriveInfo(Existing(dataRoot)).AvailableFreeSpace,
            DataRoot = dataRoot,
            UserNamespaces = Number("/proc/sys/user/max_user_namespaces"),
            InotifyInstances = Number("/proc/sys/fs/inotify/max_user_instances"),
        };
    }

    private static async Task<ImmutableSortedDictionary<string, string>> TryNetworkAsync(bool root)
    {
        if (!root)
            return new[] { "bridge", "nftables", "veth", "vxlan" }.ToImmutableSortedDictionary(k => k, _ => NoRoot, StringComparer.Ordinal);
        using var thread = new NamespaceThread("host check");
        return await thread.RunAsync(() =>
        {
            using var ns = Namespaces.UnshareNetwork();
            using var route = NetlinkSocket.Open(NetlinkFamily.Route);
            var mac = new PhysicalAddress([2, 0, 0, 0, 0, 1]);
            var tried = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
            tried["bridge"] = Try(() => Execute(route, b => b.CreateBridge("check0", mac, 1500)));
            tried["veth"] = Try(() => Execute(route, b => b.CreateVeth("check1", bridge: 0, "check2", ns, mac, 1500)));
            tried["vxlan"] = Try(() => Execute(route, b => b.CreateVxlan("check3", vni: 4096, port: 4789)));
            tried["nftables"] = Try(() =>
            {
                using var netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);
                var batch = new NftBatch("check");
                batch.AddTable();
                batch.AddBaseChain("nat", "nat", NftHook.PreRouting, -100);
                netfilter.Execute(batch.Finish());
            });
            return tried.ToImmutable();
        });
    }

    private static void Execute(NetlinkSocket socket, Action<NetlinkBatch> write)
    {
        var batch = new NetlinkBatch();
        write(batch);
        socket.Execute(batch);
    }

    private static string Try(Action attempt)
    {
        try
        {
            attempt();
            return "";
        }
        catch (LinuxException refused)
        {
            return refused.Message;
        }
    }

    private static bool ForeignDrop()
    {
        using var netfilter = NetlinkSocket.Open(NetlinkFamily.Netfilter);
        return NftDump.Chains(netfilter).Any(chain => chain is { Hook: NftHook.Forward, Policy: NftVerdict.Drop });
    }

    /// <summary>The nearest folder above that exists: the data root may not have been made yet.</summary>
    private static string Existing(string path)
    {
        while (!Directory.Exists(path))
            path = Path.GetDirectoryName(path) ?? "/";
        return path;
    }

    private static long Number(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out var number) ? number : 0;
}
