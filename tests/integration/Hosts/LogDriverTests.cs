using System.Buffers;
using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Tests.Integration.Hosts;

public sealed class LogDriverTests
{
    [Fact]
    public async Task Each_driver_keeps_what_it_promises_and_the_daemons_is_the_default()
    {
        await using var world = await HostWorld.StartAsync(o => o with { DefaultLog = Log("local", ("max-size", "64k"), ("max-file", "3")) });
        var id = await world.RunAsync(HostWorld.Script("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo wrong >&2"));
        Assert.Equal(0, (await world.EndAsync(id)).ExitCode);
        var lines = (await world.OutputAsync(id)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("line 19999", lines[^1]);
        Assert.InRange(lines.Length, 1500, 19_999); // about three files of 64 KiB
        Assert.Equal(Enumerable.Range(20_000 - lines.Length, lines.Length).Select(i => $"line {i}"), lines);
        Assert.Equal("wrong\n", await world.OutputAsync(id, "stderr"));
        Assert.Equal(("local", "64k", ""), (world.Containers.Inspect(id).HostConfig.LogConfig!.Type, world.Containers.Inspect(id).HostConfig.LogConfig!.Config["max-size"], world.Containers.Inspect(id).LogPath));

        var silent = await world.RunAsync(HostWorld.Script("echo lost; exit 3", new HostConfig { LogConfig = Log("none") }));
        Assert.Equal(3, (await world.EndAsync(silent)).ExitCode);
        Assert.Equal("configured logging driver does not support reading", Assert.Throws<LogsNotKeptException>(() => world.Containers.ReadLogsAsync(silent, new LogQuery(), HostWorld.Soon)).Message);

        var noted = await world.RunAsync(HostWorld.Script("echo hello", new HostConfig { LogConfig = Log("json-file", ("labels", "tier"), ("tag", "{{.Name}}"), ("mode", "non-blocking")) }) with { Labels = new Dictionary<string, string> { ["tier"] = "web" } });
        await world.EndAsync(noted);
        var inspect = world.Containers.Inspect(noted);
        Assert.Contains($"\"attrs\":{{\"tag\":\"{inspect.Name[1..]}\",\"tier\":\"web\"}}", await File.ReadAllTextAsync(inspect.LogPath), StringComparison.Ordinal);
        Assert.Equal("hello\n", await world.OutputAsync(noted));
    }

    [Fact]
    public async Task A_full_disk_takes_lines_away_and_nothing_else()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: a small file system is mounted");
        using var folder = new ScratchFolder();
        using (var tree = MountTree.New("tmpfs", [KeyValuePair.Create("size", "64k")]))
            MountTree.Attach(tree, folder.Path);
        try
        {
            var warnings = new List<string>();
            var target = new LogTarget { Path = Path.Combine(folder.Path, "x.log"), Format = LogFormat.Compact };
            var filler = Path.Combine(folder.Path, "filler");
            using (var log = new LogFile(target, w => warnings.Add(w.Message)))
            {
                log.Append(Line("before"));
                Fill(filler);
                for (var i = 0; i < 100; i++)
                    log.Append(Line(new string('x', 1000)));
                Assert.Single(warnings); // once, however much is lost
                File.Delete(filler);
                log.Append(Line("after"));
            }

            var lines = await File.ReadAllLinesAsync(target.Path);
            Assert.EndsWith("before", lines[0], StringComparison.Ordinal);
            Assert.EndsWith("after", lines[^1], StringComparison.Ordinal);
            Assert.All(lines, l => Assert.True(CompactLine.TryRead(Encoding.UTF8.GetBytes(l), out _, out _, out _)));
            Assert.Contains("were dropped", warnings[1], StringComparison.Ordinal);

            // With older files to lose, those go first.
            warnings.Clear();
            File.WriteAllText(target.Path + ".1", new string('x', 20_000));
            Fill(filler);
            using (var log = new LogFile(target with { MaxSizeBytes = 1 << 20, MaxFiles = 2 }, w => warnings.Add(w.Message)))
                log.Append(Line(new string('y', 8000)));
            Assert.Contains("x.log.1 was removed to make room on a full disk", Assert.Single(warnings), StringComparison.Ordinal);
            Assert.False(File.Exists(target.Path + ".1"));
            Assert.Contains("yyy", (await File.ReadAllLinesAsync(target.Path))[^1], StringComparison.Ordinal);
        }
        finally
        {
            Mounts.Unmount(folder.Path);
        }
    }

    private static void Fill(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        var (block, at) = (new byte[4096], 0L);
        try
        {
            while (true)
            {
                RandomAccess.Write(file, block, at);
                at += block.Length;
            }
        }
        catch (IOException)
        {
            // Full, which is what was wanted.
        }
    }

    private static byte[] Line(string text)
    {
        var into = new ArrayBufferWriter<byte>();
        CompactLine.Write(into, Encoding.UTF8.GetBytes(text), complete: true, "stdout"u8, DateTimeOffset.UnixEpoch);
        return into.WrittenSpan.ToArray();
    }

    private static LogConfig Log(string type, params (string Name, string Value)[] options) =>
        new() { Type = type, Config = options.ToDictionary(o => o.Name, o => o.Value, StringComparer.Ordinal) };
}
