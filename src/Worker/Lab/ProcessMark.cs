using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Lab;

/// <summary>A process that is written down: its number, and its start in clock ticks since boot, so that no later bearer of the number is meant.</summary>
internal sealed record ProcessMark(int Pid, ulong StartTime)
{
    internal bool IsAlive
    {
        get
        {
            using var found = Find();
            return found is not null;
        }
    }

    /// <exception cref="LinuxException">It has ended already.</exception>
    internal static ProcessMark Of(int pid) =>
        ProcessStat.Read(pid) is { } stat ? new ProcessMark(pid, stat.StartTime) : throw new LinuxException($"look at process {pid}", 3);

    /// <summary>Holds the process; null when it has ended, or when the number is a stranger's now.</summary>
    internal SafeFileHandle? Find()
    {
        if (PidFd.Find(Pid) is not { } held)
            return null;
        // Whoever is looked at now is the one that the descriptor holds, or a later one: its number was free in between.
        if (ProcessStat.Read(Pid) is { Ended: false } stat && stat.StartTime == StartTime && !PidFd.HasEnded(held))
            return held;
        held.Dispose();
        return null;
    }

    /// <summary>Ends it and waits; false when it is still there after so long.</summary>
    internal async Task<bool> EndAsync(int signal, TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        using var held = Find();
        if (held is null)
            return true;
        PidFd.Signal(held, signal);
        var began = time.GetTimestamp();
        while (!PidFd.HasEnded(held))
        {
            if (time.GetElapsedTime(began) > patience)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, stop);
        }

        return true;
    }
}
