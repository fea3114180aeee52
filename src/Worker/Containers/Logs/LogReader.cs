using System.Runtime.CompilerServices;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Reads a container's log: whole lines in the order they were written, over rotated files, and on as it grows.</summary>
internal static class LogReader
{
    /// <param name="path">The newest file of the log.</param>
    /// <param name="query">What is wanted.</param>
    /// <param name="watch">For following.</param>
    /// <param name="ended">Completes when nothing more will be written; a follower then reads to the end and stops.</param>
    /// <param name="stop">Cancels.</param>
    /// <param name="codec">How the driver wrote it; json-file's when it is not said.</param>
    internal static async IAsyncEnumerable<LogRecord> ReadAsync(
        string path, LogQuery query, LogWatch watch, Task ended, [EnumeratorCancellation] CancellationToken stop, LogCodec? codec = null)
    {
        codec ??= LogCodec.Json;
        // Before the first read: what is written from now on is announced.
        using var changes = query.Follow ? watch.Subscribe(Path.GetDirectoryName(path)!) : null;
        var files = new Queue<LogPart>(LogFiles.OpenAll(path));
        try
        {
            if (query.Tail is { } tail)
                SkipTo(files, tail, codec);
            var lines = new LogLines(codec);
            var assembler = new LogAssembler();
            while (true)
            {
                var isOver = ended.IsCompleted;
                while (files.TryPeek(out var file))
                {
                    do
                    {
                        while (lines.Next() is { } record)
                        {
                            if (assembler.Add(record) is not { } line || !IsWanted(line, query))
                                continue;
                            if (line.Time > query.Until)
                                yield break;
                            yield return line;
                        }
                    }
                    while (await lines.FillAsync(file.Lines, stop));

                    if (files.Count == 1)
                    {
                        // Only a file that is no longer the newest has a successor, and it is complete then.
                        if (LogFiles.Next(path, file) is not { } next)
                            break;
                        if (await lines.FillAsync(file.Lines, stop))
                        {
                            await next.DisposeAsync();
                            continue;
                        }

                        files.Enqueue(next);
                    }

                    lines.Reset();
                    await files.Dequeue().DisposeAsync();
                }

                if (!query.Follow || isOver)
                    break;
                if (files.Count == 0 && LogPart.TryOpen(path) is { } first)
                {
                    files.Enqueue(first);
                    continue;
                }

                await WaitAsync(changes!, ended, stop);
            }

            foreach (var line in assembler.Rest().Where(line => IsWanted(line, query)))
            {
                if (!(line.Time > query.Until))
                    yield return line;
            }
        }
        finally
        {
            foreach (var file in files)
                await file.DisposeAsync();
        }
    }

    private static bool IsWanted(LogRecord line, LogQuery query) =>
        (line.Stream == "stdout" ? query.Stdout : query.Stderr) && !(line.Time < query.Since);

    private static async Task WaitAsync(LogSubscription changes, Task ended, CancellationToken stop)
    {
        var changed = changes.Changed.WaitToReadAsync(stop).AsTask();
        var first = await Task.WhenAny(changed, ended);
        stop.ThrowIfCancellationRequested();
        if (first == changed)
        {
            await changed;
            changes.Changed.TryRead(out _);
        }
    }

    private static void SkipTo(Queue<LogPart> files, int tail, LogCodec codec)
    {
        var all = files.ToList();
        var missing = tail;
        var first = all.Count;
        while (first > 0 && (missing > 0 || first == all.Count))
        {
            var lines = all[--first].Lines;
            var (offset, still) = LogTail.Find(lines, missing, codec);
            lines.Position = offset;
            missing = still;
        }

        for (var i = 0; i < first; i++)
            files.Dequeue().DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
