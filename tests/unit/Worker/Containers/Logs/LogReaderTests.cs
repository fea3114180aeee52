using System.Globalization;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Logs;

namespace Orchestrator.Tests.Unit.Worker.Containers.Logs;

public sealed class LogReaderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string directory = Directory.CreateTempSubdirectory("orch-unit-log-").FullName;
    private readonly LogWatch watch = new();
    private int second;

    private string LogPath => Path.Combine(directory, "x.log");

    [Fact]
    public async Task Rotated_files_are_read_oldest_first()
    {
        Append(LogPath + ".2", "one\n", "two\n");
        Append(LogPath + ".1", "three\n");
        Append(LogPath, "four\n");
        Assert.Equal("one two three four", await ReadAsync(new LogQuery()));
        Assert.Equal("two three four", await ReadAsync(new LogQuery { Tail = 3 }));
        Assert.Equal("four", await ReadAsync(new LogQuery { Tail = 1 }));
        Assert.Equal("", await ReadAsync(new LogQuery { Tail = 0 }));
        Assert.Equal("one two three four", await ReadAsync(new LogQuery { Tail = 99 }));
    }

    [Fact]
    public async Task Since_and_until_bound_the_time_and_streams_are_chosen()
    {
        Append(LogPath, "a\n", "b\n", "c\n", "d\n");
        Assert.Equal("b c", await ReadAsync(new LogQuery { Since = Start.AddSeconds(1), Until = Start.AddSeconds(2) }));
        File.AppendAllText(LogPath, Line("err\n", "stderr"));
        Assert.Equal("err", await ReadAsync(new LogQuery { Stdout = false }));
    }

    [Fact]
    public async Task Parts_of_a_long_line_are_put_together_per_stream()
    {
        File.AppendAllText(LogPath, Line("lo", "stdout") + Line("err\n", "stderr") + Line("ng\n", "stdout") + Line("unfinished", "stdout"));
        Assert.Equal("err long unfinished", await ReadAsync(new LogQuery()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(501)]
    public async Task A_tail_over_many_blocks_has_exactly_as_many_lines(int tail)
    {
        // Lines of up to 3,000 characters, so that blocks of 64 KiB end anywhere.
        Append(LogPath, [.. Enumerable.Range(0, 500).Select(i => $"{i}-{new string('x', i * 37 % 3000)}\n")]);
        var lines = new List<string>();
        await foreach (var record in LogReader.ReadAsync(LogPath, new LogQuery { Tail = tail }, watch, Task.CompletedTask, CancellationToken.None))
            lines.Add(Encoding.UTF8.GetString(record.Line.Span).Split('-')[0]);
        Assert.Equal(Enumerable.Range(0, 500).TakeLast(tail).Select(i => i.ToString(CultureInfo.InvariantCulture)), lines);
    }

    [Fact]
    public async Task A_follower_sees_what_is_written_through_rotations_and_ends_with_the_log()
    {
        Append(LogPath, "1\n");
        var ended = new TaskCompletionSource();
        var seen = new List<string>();
        var reading = Task.Run(async () =>
        {
            await foreach (var record in LogReader.ReadAsync(LogPath, new LogQuery { Follow = true }, watch, ended.Task, CancellationToken.None))
            {
                lock (seen)
                    seen.Add(Encoding.UTF8.GetString(record.Line.Span).TrimEnd());
            }
        });
        await Seen(1);
        Append(LogPath, "2\n");
        await Seen(2);
        for (var i = 3; i < 40; i += 2)
        {
            Append(LogPath, $"{i}\n");
            if (i % 4 == 3)
            {
                File.Delete(LogPath + ".2");
                if (File.Exists(LogPath + ".1"))
                    File.Move(LogPath + ".1", LogPath + ".2");
                File.Move(LogPath, LogPath + ".1");
                File.WriteAllText(LogPath, "");
                await Seen(i); // a follower that is two rotations behind loses lines, as any reader of rotated files
            }

            Append(LogPath, $"{i + 1}\n");
        }

        ended.SetResult();
        await reading.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => i.ToString(CultureInfo.InvariantCulture)), seen);

        Task Seen(int count) => FakeHost.UntilAsync(() =>
        {
            lock (seen)
                return seen.Count >= count;
        }, $"{count} lines are seen");
    }

    [Fact]
    public async Task A_line_that_is_not_whole_waits_for_its_rest_and_damage_is_passed_over()
    {
        File.AppendAllText(LogPath, "garbage\n" + Line("whole\n", "stdout") + "{\"log\":\"half");
        Assert.Equal("whole", await ReadAsync(new LogQuery()));
    }

    public void Dispose()
    {
        watch.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private async Task<string> ReadAsync(LogQuery query)
    {
        var lines = new List<string>();
        await foreach (var record in LogReader.ReadAsync(LogPath, query, watch, Task.CompletedTask, CancellationToken.None))
            lines.Add(Encoding.UTF8.GetString(record.Line.Span).TrimEnd());
        return string.Join(' ', lines);
    }

    private void Append(string path, params string[] texts) => File.AppendAllText(path, string.Concat(texts.Select(t => Line(t, "stdout"))));

    private string Line(string text, string stream) =>
        $"{{\"log\":{JsonSerializer.Serialize(text)},\"stream\":\"{stream}\",\"time\":\"{Start.AddSeconds(second++):yyyy-MM-ddTHH:mm:ss.fffffff}00Z\"}}\n";
}
