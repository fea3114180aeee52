using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Lab;

/// <summary>Whatever state a lab is in, taking it away leaves nothing; and what cannot be raised leaves nothing either.</summary>
public sealed class DownTests
{
    [Fact]
    public async Task A_lab_that_worked_leaves_nothing_and_may_be_taken_away_twice()
    {
        await using var lab = await LabCluster.UpAsync(2, "--apart");
        (await lab.InsideAsync("host1", "orch", "run", "-d", "-p", "8080:80", "--restart", "always", "busybox", "sleep", "1000")).Succeeded();
        await lab.PowerOffAsync("host2");
        Assert.NotEmpty(Traces(lab));
        (await lab.LabAsync("down")).Succeeded();
        Assert.Empty(Traces(lab));
        Assert.Equal($"No lab '{lab.Name}' is up.\n", (await lab.LabAsync("down")).Succeeded().Output);
    }

    [Fact]
    public async Task A_lab_whose_maker_was_killed_half_way_is_taken_away_whatever_was_written_down()
    {
        await using var lab = await LabCluster.PlanAsync();
        using (var up = Process.Start(new ProcessStartInfo(lab.Command("up")[0], lab.Command("up", "2", "--apart")[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!)
        {
            await Shell.EventuallyAsync("a first host", () => Task.FromResult(Processes(lab).Any(p => p.Contains("orch-lab", StringComparison.Ordinal) && p.EndsWith("host1", StringComparison.Ordinal))), h => h);
            up.Kill();
            await up.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var again = await lab.LabAsync("up", "2", "--apart");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("half made", again.Error, StringComparison.Ordinal);
        File.Delete(Path.Combine(lab.Folder, "lab.json"));
        Assert.NotEmpty(Traces(lab));
        (await lab.LabAsync("down")).Succeeded();
        Assert.Empty(Traces(lab));
    }

    [Fact]
    public async Task After_the_machine_restarted_nobody_with_a_noted_number_is_touched_and_hosts_start_again()
    {
        await using var lab = await LabCluster.UpAsync(2, "--apart");
        (await lab.InsideAsync("host1", "orch", "run", "-d", "--name", "work", "busybox", "sleep", "1000")).Succeeded();
        await lab.PowerOffAsync("host1", "host2");
        // What a restart leaves: the file, with numbers that are others' now. This test's own process stands for such a stranger.
        var file = Path.Combine(lab.Folder, "lab.json");
        var stranger = $$"""{ "Process": { "Pid": {{Environment.ProcessId}}, "StartTime": {{StartTime(Environment.ProcessId)}} }, "Namespaces": [] }""";
        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        using (var json = System.Text.Json.JsonDocument.Parse(text))
        {
            var boot = json.RootElement.GetProperty("Boot").GetString()!;
            text = text.Replace(boot, "another-boot", StringComparison.Ordinal).Replace("\"Holder\": null", $"\"Holder\": {stranger}", StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        Assert.All(lab.State.Hosts, h => Assert.Null(h.Holder));
        await lab.PowerOnAsync();
        Assert.Contains("work", (await lab.InsideAsync("host1", "orch", "ps", "-a")).Succeeded().Output, StringComparison.Ordinal);
        (await lab.InsideAsync("host1", "busybox", "ping", "-c1", "-W2", lab.Address("host2"))).Succeeded();
    }

    [Fact]
    public async Task A_host_that_cannot_be_raised_takes_all_with_it_and_its_log_tells_why()
    {
        await using var lab = await LabCluster.PlanAsync();
        var ran = await lab.LabAsync("up", "2", "--daemon-arg=--log-level=loud");
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("the daemon ended at once; its log,", ran.Error, StringComparison.Ordinal);
        Assert.Contains("'loud' is none of debug, info, warn, error, fatal", ran.Error, StringComparison.Ordinal);
        Assert.Empty(Traces(lab));
    }

    [Fact]
    public async Task Two_labs_of_the_same_network_do_not_meet()
    {
        await using var one = await LabCluster.UpAsync(1, "--apart");
        await using var two = await LabCluster.UpAsync(2, "--apart");
        Assert.Equal(one.Address("host1"), two.Address("host1"));
        (await two.InsideAsync("host1", "busybox", "ping", "-c1", "-W2", two.Address("host2"))).Succeeded();
        Assert.NotEqual(0, (await one.InsideAsync("host1", "busybox", "ping", "-c1", "-W1", two.Address("host2"))).ExitCode);
        (await one.LabAsync("down")).Succeeded();
        Assert.Equal("host1", (await two.OrchAsync("host1", "info", "--format", "{{.Name}}")).Succeeded().Output.Trim());
    }

    private static string StartTime(int pid) => File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1].Split(' ')[19];

    /// <summary>All that the machine knows of a lab.</summary>
    private static List<string> Traces(LabCluster lab)
    {
        var mounts = File.ReadLines("/proc/self/mountinfo").Where(l => l.Contains(lab.Folder, StringComparison.Ordinal));
        var groups = Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(h => h + lab.Cgroup).Where(Directory.Exists);
        return [.. Processes(lab), .. mounts, .. groups, .. Directory.Exists(lab.Folder) ? [lab.Folder] : (string[])[]];
    }

    /// <summary>Command lines that name the lab.</summary>
    private static List<string> Processes(LabCluster lab) =>
    [
        .. Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])).Select(CommandLine)
            .Where(c => c.Contains(lab.Name + " ", StringComparison.Ordinal) || c.Contains(lab.Folder + "/", StringComparison.Ordinal)),
    ];

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/cmdline").Replace('\0', ' ').TrimEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
