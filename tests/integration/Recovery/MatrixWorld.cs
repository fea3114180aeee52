using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Hosts;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>What somebody was told of a container: none of it may be lost.</summary>
internal sealed class Told
{
    internal string? Id { get; set; }

    internal int Pid { get; set; }

    /// <summary>Nothing, created, running, exited or removed.</summary>
    internal string State { get; set; } = "nothing";
}

/// <summary>One container's whole life, and everything a host has of it.</summary>
internal static class MatrixWorld
{
    internal const int Code = 7;
    internal const string Output = "up\nbye\n";

    private static readonly TimeSpan NoGrace = TimeSpan.FromMinutes(10);

    private static ContainerCreateRequest Request => HostWorld.Script(
        "trap 'while [ ! -e /go ]; do sleep 0.02; done; echo bye; exit 7' TERM; echo up; while :; do sleep 0.02; done",
        new HostConfig { PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new() { HostPort = "18080" }] } });

    /// <summary>Create, start, stop, remove; the gate is passed between them too.</summary>
    internal static async Task LiveAsync(HostWorld world, StepGate gate, Told told)
    {
        told.Id = (await world.Containers.CreateAsync(Request, null, HostWorld.Soon)).Id;
        told.State = "created";
        await gate.AtAsync("created");
        await world.Containers.StartAsync(told.Id, HostWorld.Soon);
        told.Pid = world.Containers.Inspect(told.Id).State.Pid;
        told.State = "running";
        await gate.AtAsync("running");
        await EndAsync(world, told);
        await world.Containers.RemoveAsync(told.Id, force: false, volumes: false, HostWorld.Soon);
        told.State = "removed";
        await gate.AtAsync("removed");
    }

    /// <summary>Stops a running one; it ends with its own code, given the time.</summary>
    internal static async Task EndAsync(HostWorld world, Told told)
    {
        await world.UntilOutputAsync(told.Id!, "up");
        var stopping = world.Containers.StopAsync(told.Id!, NoGrace, null, HostWorld.Soon);
        try
        {
            await File.WriteAllTextAsync($"/proc/{told.Pid}/root/go", "");
        }
        catch (DirectoryNotFoundException)
        {
            // It was let go before the daemon was killed, and goes: a process has no root any more a while before it has ended.
            await Shell.EventuallyAsync($"the end of process {told.Pid}", () => Task.FromResult(HostWorld.Lives(told.Pid)), lives => !lives);
        }
        await stopping;
        told.State = "exited";
    }

    /// <summary>Sentences on what of it is lost; ends with nothing being there.</summary>
    internal static async Task<List<string>> LossesAsync(HostWorld world, Told told)
    {
        var lost = new List<string>();
        var found = told.Id is { } id ? world.Containers.TryFind(id) : world.Containers.Snapshots() is [var stranger, ..] ? stranger : null;
        if (told.State == "nothing" && found is not null)
            lost.Add("a container that nobody was told of is there");
        if (told.State == "removed" && found is not null)
            lost.Add("what was removed is there again");
        if (told.State is "created" or "running" or "exited" && found is null)
            lost.Add($"the container, told to be {told.State}, is gone");
        if (found is null || lost.Count > 0)
            return lost;
        if (found.State.Status is ContainerStatus.Removing)
        {
            await UntilGoneAsync(world, found.Id);
            return lost;
        }

        if (told.State == "running" && HostWorld.Lives(told.Pid) && (!found.IsRunning || found.State.Pid != told.Pid))
            lost.Add($"it ran as {told.Pid} and is told to be {found.State.Status} {found.State.Pid}");
        if (told.State == "running" && !HostWorld.Lives(told.Pid) && !File.Exists($"{world.DataRoot}/containers/{found.Id}/upper/go"))
            lost.Add("its process is gone");
        if (told.State == "created")
        {
            // Whether a start that nobody was told of has happened or not: it can be used.
            await world.Containers.StartAsync(found.Id, HostWorld.Soon);
            told.Pid = world.Containers.Inspect(found.Id).State.Pid;
        }

        if (told.State != "exited" && world.Containers.Inspect(found.Id).State.Running && HostWorld.Lives(told.Pid))
            await EndAsync(world, told);
        var ended = await world.EndAsync(found.Id);
        if (ended.ExitCode != Code || ended.Error.Length > 0)
            lost.Add($"it ended with {ended.ExitCode} '{ended.Error}' instead of {Code}");
        var output = await world.OutputAsync(found.Id);
        if (output != Output)
            lost.Add($"its output is '{output}'");
        await world.Containers.RemoveAsync(found.Id, force: true, volumes: false, HostWorld.Soon);
        return lost;
    }

    /// <summary>Everything of containers that the host has: links, rules, mounts, groups, processes, names, files, layers held.</summary>
    internal static async Task<ImmutableSortedSet<string>> BelongingsAsync(HostWorld world)
    {
        var all = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var link in (await world.InsideAsync("ip", "-o", "link")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            all.Add($"link {link.Split(": ")[1].Split('@')[0]}");
        foreach (var line in (await world.InsideAsync("nft", "list", "ruleset")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            all.Add($"rule {line.Trim()}");
        foreach (var line in (await world.InsideAsync("ss", "-ltnuH")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            all.Add($"socket {string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4..])}");
        foreach (var mount in (await File.ReadAllLinesAsync("/proc/self/mountinfo")).Where(l => l.Contains(world.Root, StringComparison.Ordinal)))
            all.Add($"mount {mount.Split(' ')[4]}");
        foreach (var group in world.Groups().SelectMany(g => Directory.EnumerateDirectories(g, "*", SearchOption.AllDirectories)))
            all.Add($"group {group}");
        foreach (var process in world.Groups().SelectMany(Processes).Where(p => !Command(p).Contains("shim", StringComparison.Ordinal)))
            all.Add($"process {process}");
        foreach (var place in (string[])[$"{world.DataRoot}/containers", $"{world.ExecRoot}/containers", $"{world.ExecRoot}/netns"])
        {
            if (Directory.Exists(place))
                all.UnionWith(Directory.EnumerateFileSystemEntries(place).Select(e => $"file {e}"));
        }

        var image = await world.Host.Images.InspectAsync(HostWorld.Image, HostWorld.Soon);
        all.UnionWith(world.Host.Images.HoldersOf(image.Id).Select(h => $"layers held by {h}"));
        return all.ToImmutable();
    }

    /// <summary>What is there and was not before, once what goes by itself has gone.</summary>
    internal static async Task<IReadOnlyList<string>> LeftAsync(HostWorld world, ImmutableSortedSet<string> before)
    {
        var left = ImmutableSortedSet<string>.Empty;
        var began = TimeProvider.System.GetTimestamp();
        do
        {
            left = (await BelongingsAsync(world)).Except(before);
            if (!left.IsEmpty)
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        while (!left.IsEmpty && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20));
        return left;
    }

    /// <summary>The table, told with the test and written beside its program.</summary>
    internal static void Report(string killed, IReadOnlyList<(string Step, string Lost, string Left, TimeSpan Took)> rows)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {killed} killed at | acknowledged and lost | left behind | ms |").AppendLine("| --- | --- | --- | ---: |");
        foreach (var (step, lost, left, took) in rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {step} | {(lost.Length == 0 ? "nothing" : lost)} | {(left.Length == 0 ? "nothing" : left)} | {took.TotalMilliseconds:F0} |");
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString());
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, $"kill-matrix-{killed}.md"), text.ToString());
    }

    internal static Task UntilGoneAsync(HostWorld world, string id) =>
        Shell.EventuallyAsync($"removal of {id}", () => Task.FromResult(world.Containers.TryFind(id)), c => c is null, TimeSpan.FromSeconds(30));

    private static IEnumerable<int> Processes(string group) => Directory.EnumerateFiles(group, "cgroup.procs", SearchOption.AllDirectories)
        .SelectMany(f => File.ReadAllText(f).Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(p => int.Parse(p, CultureInfo.InvariantCulture)).Distinct();

    private static string Command(int pid)
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
}
