using System.Diagnostics;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>A daemon under measurement in network and mount namespaces of its own, with its roots in a temporary folder.</summary>
internal sealed class PeerDaemon : IAsyncDisposable
{
    private readonly Process _process;

    private PeerDaemon(string root, Process process)
    {
        Root = root;
        _process = process;
    }

    internal string Root { get; }

    internal string Socket => Path.Combine(Root, "engine.sock");

    internal int Pid => _process.Id;

    /// <summary>Starts <paramref name="command"/>, in which <c>ROOT</c> stands for the temporary folder.</summary>
    internal static PeerDaemon Start(string name, string command)
    {
        var root = Directory.CreateTempSubdirectory($"orch-bench-{name}-").FullName;
        // Lookups of registries must fail at once in a namespace without a way out: a resolver that refuses.
        var script = $"""
            ip link set lo up
            ip link add up0 type veth peer name up1 && ip link set up1 up && ip link set up0 up
            ip addr add 10.255.255.2/24 dev up0 && ip route add default via 10.255.255.1
            echo nameserver 127.0.0.1 >{root}/resolv.conf && mount --bind {root}/resolv.conf /etc/resolv.conf
            exec {command.Replace("ROOT", root, StringComparison.Ordinal)} >{root}/log 2>&1
            """;
        return Start(name, root, new("unshare", ["-n", "-m", "sh", "-ec", script]));
    }

    /// <summary>As <see cref="Start(string, string)"/>, in the namespaces of this process.</summary>
    internal static PeerDaemon Beside(string name, string command)
    {
        var root = Directory.CreateTempSubdirectory($"orch-bench-{name}-").FullName;
        return Start(name, root, new("sh", ["-ec", $"exec {command.Replace("ROOT", root, StringComparison.Ordinal)} >{root}/log 2>&1"]));
    }

    private static PeerDaemon Start(string name, string root, ProcessStartInfo start) =>
        new(root, Process.Start(start) ?? throw new InvalidOperationException($"{name} did not start"));

    internal string Log => File.ReadAllText(Path.Combine(Root, "log"));

    /// <summary>Ends the daemon, then what it leaves behind on purpose (our shim and its cgroups go on without a daemon), and removes its roots.</summary>
    public async ValueTask DisposeAsync()
    {
        // What slows syncs ends by itself with the last of its children.
        await EndAsync(command => IsPart(command) && command.Contains(" daemon ", StringComparison.Ordinal));
        if (File.Exists(Path.Combine(Root, "data", "daemon.lock")))
            await TearDownAsync();
        await EndAsync(IsPart);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private async Task TearDownAsync()
    {
        var start = new ProcessStartInfo(OrchBinary.Path, ["system", "teardown", "--yes", "--data-root", $"{Root}/data", "--exec-root", $"{Root}/exec"]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            await Console.Error.WriteLineAsync($"orch system teardown of {Root}: exit code {process.ExitCode}: {said}");
    }

    private static bool IsPart(string command) => !command.Contains("slow-sync", StringComparison.Ordinal);

    private async Task EndAsync(Func<string, bool> which)
    {
        var ending = new List<int>();
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                var command = CommandLine(process.Id).Replace('\0', ' ');
                if (command.Contains(Root, StringComparison.Ordinal) && which(command))
                    ending.Add(process.Id);
            }
        }

        foreach (var pid in ending)
            await TerminateAsync(pid);
        while (ending.Exists(pid => CommandLine(pid).Contains(Root, StringComparison.Ordinal)))
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }

    /// <summary>Empty for a process that is gone, or ended and not yet collected by its parent.</summary>
    internal static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task TerminateAsync(int pid)
    {
        using var kill = Process.Start("kill", ["-TERM", $"{pid}"]);
        await kill.WaitForExitAsync();
    }
}
