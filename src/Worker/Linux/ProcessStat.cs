using System.Globalization;

namespace Orchestrator.Worker.Linux;

/// <summary>What /proc/PID/stat says (proc_pid_stat(5)).</summary>
/// <param name="State">R, S, D, Z (ended, not collected), …</param>
/// <param name="Parent">The parent's pid.</param>
/// <param name="StartTime">In clock ticks since boot; together with the pid it names a process for as long as the machine runs.</param>
/// <param name="WaitStatus">How it ended, as wait(2) gives it; 0 while it lives.</param>
internal readonly record struct ProcessStat(char State, int Parent, ulong StartTime, int WaitStatus)
{
    private const int StateField = 3;
    private const int ParentField = 4;
    private const int StartField = 22;
    private const int StatusField = 52;

    internal bool Ended => State is 'Z' or 'X';

    /// <summary>Null when there is no such process.</summary>
    internal static ProcessStat? Read(int pid)
    {
        try
        {
            return KernelFile.ReadOrNull($"/proc/{pid}/stat") is { Length: > 0 } text ? Parse(text) : null;
        }
        catch (LinuxException)
        {
            return null; // ESRCH: it went while it was read
        }
    }

    internal static ProcessStat Parse(string text)
    {
        // The name stands in brackets and may hold anything, brackets too.
        var fields = text[(text.LastIndexOf(')') + 2)..].TrimEnd('\n').Split(' ');
        return new ProcessStat(
            fields[0][0],
            int.Parse(fields[ParentField - StateField], CultureInfo.InvariantCulture),
            ulong.Parse(fields[StartField - StateField], CultureInfo.InvariantCulture),
            fields.Length > StatusField - StateField ? int.Parse(fields[StatusField - StateField], CultureInfo.InvariantCulture) : 0);
    }
}
