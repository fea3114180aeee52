using System.Buffers;
using System.Globalization;
using System.Text;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Logs;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Tests.Unit.Worker.Containers.Logs;

/// <summary>What the shim writes and the daemon reads.</summary>
public sealed class LogDriverTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string directory = Directory.CreateTempSubdirectory("orch-unit-log-").FullName;
    private readonly LogWatch watch = new();
    private readonly List<string> warnings = [];

    private string LogPath => Path.Combine(directory, "x.log");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lines_come_back_as_they_were_written(bool compact)
    {
        var format = compact ? LogFormat.Compact : LogFormat.Json;
        var target = new LogTarget { Path = LogPath, Format = format };
        using (var log = new LogFile(target, Warn))
        {
            var lines = new ArrayBufferWriter<byte>();
            var (stdout, stderr) = (new LineSplitter("stdout"u8.ToArray(), LineFormat.Of(target)), new LineSplitter("stderr"u8.ToArray(), LineFormat.Of(target)));
            stdout.Take("one\ntwo \"quoted\" \\n\r\n"u8, Start, lines);
            stderr.Take("wrong\n"u8, Start.AddTicks(1), lines);
            stdout.Take(Encoding.UTF8.GetBytes(new string('x', 40_000) + "\nrest"), Start.AddSeconds(1), lines);
            stdout.Finish(Start.AddSeconds(2), lines);
            log.Append(lines.WrittenSpan);
        }

        var read = await RecordsAsync(format, new LogQuery());
        Assert.Equal(["one\n", "two \"quoted\" \\n\r\n", "wrong\n", new string('x', 40_000) + "\n", "rest"], read.Select(Text));
        Assert.Equal(["stdout", "stdout", "stderr", "stdout", "stdout"], read.Select(r => r.Stream));
        Assert.Equal(Start.AddTicks(1), read[2].Time);
        Assert.Equal([new string('x', 40_000) + "\n", "rest"], (await RecordsAsync(format, new LogQuery { Tail = 1 })).Select(Text));
        Assert.Equal(3, (await RecordsAsync(format, new LogQuery { Tail = 2 })).Count);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Rotated_and_compressed_files_are_read_in_order(bool compact, bool compress)
    {
        var format = compact ? LogFormat.Compact : LogFormat.Json;
        var target = new LogTarget { Path = LogPath, Format = format, MaxSizeBytes = 2000, MaxFiles = 4, Compress = compress };
        using (var log = new LogFile(target, Warn))
        {
            for (var i = 0; i < 1000; i++)
                Write(log, target, $"{i}\n");
            await FakeHost.UntilAsync(() => !compress || File.Exists(LogPath + ".1.gz"), "the files are compressed");
            if (compress)
                await FakeHost.UntilAsync(() => !File.Exists(LogPath + ".1") && !File.Exists(LogPath + ".2") && !File.Exists(LogPath + ".3"), "all of them are");
        }

        Assert.Equal(4, Directory.GetFiles(directory).Length);
        var read = (await RecordsAsync(format, new LogQuery())).Select(Number).ToList();
        Assert.Equal(999, read[^1]);
        Assert.InRange(read.Count, 50, 999);
        Assert.Equal(Enumerable.Range(read[0], read.Count), read);
        Assert.Equal(Enumerable.Range(999 - 39, 40), (await RecordsAsync(format, new LogQuery { Tail = 40 })).Select(Number));
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public async Task A_follower_goes_on_across_rotation_and_compression(int files, bool compress)
    {
        var target = new LogTarget { Path = LogPath, Format = LogFormat.Compact, MaxSizeBytes = 400, MaxFiles = files, Compress = compress };
        using var log = new LogFile(target, Warn);
        var ended = new TaskCompletionSource();
        var seen = new List<int>();
        var reading = Task.Run(async () =>
        {
            await foreach (var record in LogReader.ReadAsync(LogPath, new LogQuery { Follow = true }, watch, ended.Task, CancellationToken.None, LogCodec.Of(target.Format)))
            {
                lock (seen)
                    seen.Add(Number(record));
            }
        });
        for (var i = 0; i < 200; i++)
        {
            Write(log, target, $"{i}\n");
            var count = i + 1;
            // A follower that is more rotations behind than files are kept loses lines, as any reader of rotated files.
            if (files == 1 || i % 10 == 9)
                await FakeHost.UntilAsync(() => Seen() >= count, $"{count} lines are seen");
        }

        ended.SetResult();
        await reading.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(Enumerable.Range(0, 200), seen);

        int Seen()
        {
            lock (seen)
                return seen.Count;
        }
    }

    [Fact]
    public async Task A_file_that_rotates_and_is_compressed_under_a_reader_stays_the_same_file()
    {
        var target = new LogTarget { Path = LogPath, MaxSizeBytes = 100, MaxFiles = 5, Compress = true };
        using var log = new LogFile(target, Warn);
        Write(log, target, "first\n");
        Write(log, target, "second\n");
        await using var newest = LogPart.TryOpen(LogPath)!;
        for (var i = 0; i < 4; i++)
            Write(log, target, $"{i}\n");
        await FakeHost.UntilAsync(() => Directory.GetFiles(directory, "*.gz").Length >= 2 && Directory.GetFiles(directory).All(f => f == LogPath || f.EndsWith(".gz", StringComparison.Ordinal)), "older files are compressed");
        await using var next = LogFiles.Next(LogPath, newest);
        using var lines = new StreamReader(next!.Lines);
        Assert.Contains("\"0\\n\"", await lines.ReadLineAsync(), StringComparison.Ordinal);
        await using var last = LogPart.TryOpen(LogPath)!;
        Assert.Null(LogFiles.Next(LogPath, last));
    }

    [Fact]
    public async Task Attributes_stand_in_every_line_and_are_read_back()
    {
        var target = new LogTarget { Path = LogPath, Attributes = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("tag", "a\"b").Add("tier", "web") };
        using (var log = new LogFile(target, Warn))
            Write(log, target, "hello\n");
        Assert.Equal(
            """{"log":"hello\n","stream":"stdout","attrs":{"tag":"a\"b","tier":"web"},"time":"2026-01-01T00:00:00Z"}""", (await File.ReadAllTextAsync(LogPath)).TrimEnd());
        var record = Assert.Single(await RecordsAsync(LogFormat.Json, new LogQuery { Tail = 1 }));
        Assert.Equal(("a\"b", "web"), (record.Attributes!["tag"], record.Attributes["tier"]));
    }

    [Fact]
    public void A_buffer_that_is_full_drops_what_comes_and_says_how_much()
    {
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var written = new List<int>();
        using (var buffer = new LogBuffer(10, lines =>
        {
            entered.Set();
            gate.Wait();
            written.Add(lines.Length);
        }))
        {
            Assert.True(buffer.Offer("123456"u8));
            entered.Wait(TimeSpan.FromSeconds(20));
            Assert.True(buffer.Offer("123456"u8));
            Assert.False(buffer.Offer("123456"u8));
            Assert.True(buffer.Offer("1234"u8));
            gate.Set();
        }

        Assert.Equal(16, written.Sum());
    }

    [Fact]
    public async Task Non_blocking_logs_are_whole_when_the_log_is_closed()
    {
        var target = new LogTarget { Path = LogPath, Format = LogFormat.Compact, BufferBytes = 1 << 20 };
        using (var log = new LogFile(target, Warn))
        {
            for (var i = 0; i < 1000; i++)
                Write(log, target, $"{i}\n");
        }

        Assert.Equal(Enumerable.Range(0, 1000), (await RecordsAsync(target.Format, new LogQuery())).Select(Number));
    }

    [Fact]
    public void The_driver_none_makes_no_file()
    {
        var target = new LogTarget { Path = LogPath, Format = LogFormat.None };
        using (var log = new LogFile(target, Warn))
            Write(log, target, "lost\n");
        Assert.Empty(Directory.GetFiles(directory));
    }

    public void Dispose()
    {
        watch.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static void Write(LogFile log, LogTarget target, string text)
    {
        var lines = new ArrayBufferWriter<byte>();
        new LineSplitter("stdout"u8.ToArray(), LineFormat.Of(target)).Take(Encoding.UTF8.GetBytes(text), Start, lines);
        log.Append(lines.WrittenSpan);
    }

    private async Task<List<LogRecord>> RecordsAsync(LogFormat format, LogQuery query)
    {
        var records = new List<LogRecord>();
        await foreach (var record in LogReader.ReadAsync(LogPath, query, watch, Task.CompletedTask, CancellationToken.None, LogCodec.Of(format)))
            records.Add(record);
        return records;
    }

    private static string Text(LogRecord record) => Encoding.UTF8.GetString(record.Line.Span);

    private static int Number(LogRecord record) => int.Parse(Text(record), CultureInfo.InvariantCulture);

    private void Warn(Exception warning)
    {
        lock (warnings)
            warnings.Add(warning.Message);
    }
}
