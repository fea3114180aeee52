using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Cli.Daemon;

/// <summary><c>orch shim --exec-root DIR</c>, started by the daemon: containers, their names and their held ports.</summary>
internal static class ShimHost
{
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments is not ["--exec-root", var execRoot])
        {
            await Console.Error.WriteLineAsync("orch shim is started by orch daemon, with --exec-root DIR");
            return 1;
        }

        using var logs = ConsoleLog.Factory(LogLevel.Information, TimeProvider.System);
        await using var names = new DnsShimService(hostNetnsPath: null, "/etc/resolv.conf", TimeProvider.System, logs.CreateLogger<DnsShimService>());
        await using var ports = new PortShimService(hostNetnsPath: null, logs.CreateLogger<PortShimService>());
        return await ShimMain.RunAsync(execRoot, [names, ports], Program.Version, TimeProvider.System, logs);
    }
}
