using System.Globalization;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Processes;

/// <summary>A process as /proc shows it (proc_pid_stat(5), proc_pid_status(5)). Times are ticks of a hundredth of a second.</summary>
internal sealed record ProcessEntry
{
    public required int Pid { get; init; }
    public required string Name { get; init; }
    public required char State { get; init; }
    public required int Parent { get; init; }
    public required int Group { get; init; }
    public required int Session { get; init; }
    public required int Terminal { get; init; }
    public required int Foreground { get; init; }
    public required long CpuTicks { get; init; }
    public required long Priority { get; init; }
    public required long Nice { get; init; }
    public required int Threads { get; init; }

    /// <summary>Since boot.</summary>
    public required long StartTicks { get; init; }

    public required long VirtualBytes { get; init; }
    public required long ResidentPages { get; init; }
    public uint Uid { get; init; }
    public uint Gid { get; init; }

    /// <summary>Its arguments; empty for a zombie.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>Null: it has gone.</summary>
    internal static ProcessEntry? Read(int pid)
    {
        if (KernelFile.ReadOrNull($"/proc/{pid}/stat") is not { } stat || KernelFile.ReadOrNull($"/proc/{pid}/status") is not { } status)
            return null;
        return Parse(stat, status, KernelFile.ReadOrNull($"/proc/{pid}/cmdline") ?? "");
    }

    /// <summary>The name is in parentheses and may hold any byte, parentheses and blanks too.</summary>
    internal static ProcessEntry Parse(string stat, string status, string arguments)
    {
        var (open, close) = (stat.IndexOf('('), stat.LastIndexOf(')'));
        var rest = stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long Field(int number) => long.Parse(rest[number - 3], CultureInfo.InvariantCulture);
        return new ProcessEntry
        {
            Pid = int.Parse(stat.AsSpan(0, open).Trim(), CultureInfo.InvariantCulture),
            Name = stat[(open + 1)..close],
            State = rest[0][0],
            Parent = (int)Field(4),
            Group = (int)Field(5),
            Session = (int)Field(6),
            Terminal = (int)Field(7),
            Foreground = (int)Field(8),
            CpuTicks = Field(14) + Field(15),
            Priority = Field(18),
            Nice = Field(19),
            Threads = (int)Field(20),
            StartTicks = Field(22),
            VirtualBytes = (long)Math.Min(ulong.Parse(rest[23 - 3], CultureInfo.InvariantCulture), long.MaxValue),
            ResidentPages = Field(24),
            Uid = Effective(status, "Uid:"),
            Gid = Effective(status, "Gid:"),
            Arguments = string.Join(' ', arguments.TrimEnd('\0').Split('\0')),
        };
    }

    /// <summary>Real, effective, saved and file system's.</summary>
    private static uint Effective(string status, string key)
    {
        var line = status.Split('\n').FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
        return line is null ? 0 : uint.Parse(line.Split('\t', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture);
    }
}
