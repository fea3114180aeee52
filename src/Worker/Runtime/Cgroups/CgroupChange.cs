using System.Collections.Immutable;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>Carries new limits into a group that is in use: all of them, or none.</summary>
internal static class CgroupChange
{
    private const string Memory = "/memory.limit_in_bytes";
    private const string Both = "/memory.memsw.limit_in_bytes";
    private const string Quota = "/cpu.cfs_quota_us";
    private const string Period = "/cpu.cfs_period_us";
    private const int Busy = 16;

    internal static void Apply(ImmutableArray<CgroupWrite> writes)
    {
        var before = new Stack<CgroupWrite>();
        try
        {
            foreach (var write in Order(writes, file => CgroupTexts.Number(KernelFile.ReadOrNull(file))))
            {
                var had = KernelFile.ReadOrNull(write.File)
                    ?? throw new RuntimeException($"The group has no {Path.GetFileName(write.File)}: its limit cannot be set.");
                KernelFile.Write(write.File, write.Value);
                before.Push(write with { Value = Restorable(write.File, had) });
            }
        }
        catch (Exception error) when (error is RuntimeException or LinuxException)
        {
            throw Undo(before, Explain(error));
        }
    }

    /// <summary>
    /// v1 holds "memory ≤ memory and swap" at every moment, so what grows is written from the outside in; and a quota against its period.
    /// </summary>
    /// <param name="writes">What to write.</param>
    /// <param name="now">What a file holds now; null: no number.</param>
    internal static ImmutableArray<CgroupWrite> Order(ImmutableArray<CgroupWrite> writes, Func<string, long?> now)
    {
        var ordered = writes.ToList();
        var memory = ordered.FindIndex(w => w.File.EndsWith(Memory, StringComparison.Ordinal));
        var both = ordered.FindIndex(w => w.File.EndsWith(Both, StringComparison.Ordinal));
        if (memory >= 0 && both > memory && CgroupTexts.Number(ordered[both].Value) is { } next && (next < 0 || next > now(ordered[memory].File)))
            (ordered[memory], ordered[both]) = (ordered[both], ordered[memory]);
        // A shorter period under an old long quota is refused by no kernel for a group alone, but by its parent's share: quota first then.
        var period = ordered.FindIndex(w => w.File.EndsWith(Period, StringComparison.Ordinal));
        var quota = ordered.FindIndex(w => w.File.EndsWith(Quota, StringComparison.Ordinal));
        if (period >= 0 && quota > period && CgroupTexts.Number(ordered[quota].Value) is { } less && less > 0 && (now(ordered[quota].File) is null or < 0 || less < now(ordered[quota].File)))
            (ordered[period], ordered[quota]) = (ordered[quota], ordered[period]);
        return [.. ordered];
    }

    /// <summary>Some files are read in another form than they are written in.</summary>
    private static string Restorable(string file, string text)
    {
        var line = text.Split('\n')[0].Trim();
        return file.EndsWith("/memory.oom_control", StringComparison.Ordinal) ? line.Split(' ')[^1] : line;
    }

    private static RuntimeException Explain(Exception error) => error switch
    {
        LinuxException { Errno: Busy } busy when busy.Message.Contains(Memory, StringComparison.Ordinal) =>
            new($"The container uses more memory than the new limit and cannot give it back: {busy.Message}", busy),
        RuntimeException known => known,
        _ => new(error.Message, error),
    };

    private static RuntimeException Undo(Stack<CgroupWrite> before, RuntimeException failure)
    {
        var more = new List<Exception>();
        foreach (var (file, value) in before)
        {
            try
            {
                KernelFile.Write(file, value);
            }
            catch (LinuxException error)
            {
                more.Add(error);
            }
        }
        return more.Count == 0
            ? failure
            : new($"{failure.Message}; and the limits before could not be set again: {string.Join("; ", more.Select(e => e.Message))}", new AggregateException([failure, .. more]));
    }
}
