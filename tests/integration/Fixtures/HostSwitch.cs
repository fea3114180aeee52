using System.Globalization;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>A bridge in a network namespace of its own, to which hosts are plugged in: nothing of it is in the machine's own network.</summary>
internal sealed class HostSwitch : IAsyncDisposable
{
    private static int s_switches;

    private readonly string _name;
    private int _hosts;

    private HostSwitch(string name) => _name = name;

    internal static async Task<HostSwitch> StartAsync()
    {
        var made = new HostSwitch($"orchsw{Environment.ProcessId}x{Interlocked.Increment(ref s_switches)}");
        (await Shell.RunAsync("ip", ["netns", "add", made._name])).Succeeded();
        (await made.InsideAsync("link", "add", "br0", "type", "bridge")).Succeeded();
        (await made.InsideAsync("link", "set", "br0", "up")).Succeeded();
        return made;
    }

    internal string NextAddress() => string.Create(CultureInfo.InvariantCulture, $"10.199.0.{10 + Interlocked.Increment(ref _hosts)}");

    /// <summary>Takes a link of the machine into the switch.</summary>
    internal async Task PlugAsync(string link)
    {
        (await Shell.RunAsync("ip", ["link", "set", link, "netns", _name])).Succeeded();
        (await InsideAsync("link", "set", link, "master", "br0")).Succeeded();
        await HealAsync(link);
    }

    /// <summary>Pulls a host's plug: it reaches nobody and nobody reaches it.</summary>
    internal async Task CutAsync(string link) => (await InsideAsync("link", "set", link, "down")).Succeeded();

    internal async Task HealAsync(string link) => (await InsideAsync("link", "set", link, "up")).Succeeded();

    public async ValueTask DisposeAsync() => await Shell.RunAsync("ip", ["netns", "del", _name]);

    private Task<Ran> InsideAsync(params string[] command) => Shell.RunAsync("ip", ["-n", _name, .. command]);
}
