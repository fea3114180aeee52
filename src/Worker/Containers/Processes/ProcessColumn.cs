using System.Globalization;

namespace Orchestrator.Worker.Containers.Processes;

/// <summary>A column of ps(1): the words that ask for it, its title, its text.</summary>
internal sealed record ProcessColumn(string Words, string Title, Func<ProcessEntry, ProcessHost, string> Text)
{
    private const int Ticks = 100;
    private const int PageSize = 4096;

    /// <summary>The standard format specifiers that are offered.</summary>
    internal static readonly IReadOnlyList<ProcessColumn> All =
    [
        new("pid tgid", "PID", (p, _) => Number(p.Pid)),
        new("ppid", "PPID", (p, _) => Number(p.Parent)),
        new("pgid pgrp", "PGID", (p, _) => Number(p.Group)),
        new("sid sess session", "SID", (p, _) => Number(p.Session)),
        new("user euser uname", "USER", (p, h) => User(p, h)),
        new("uid euid", "UID", (p, _) => Number(p.Uid)),
        new("group egroup", "GROUP", (p, h) => h.Groups.GetValueOrDefault(p.Gid) ?? Number(p.Gid)),
        new("gid egid", "GID", (p, _) => Number(p.Gid)),
        new("comm ucmd ucomm", "COMMAND", (p, _) => p.State == 'Z' ? p.Name + " <defunct>" : p.Name),
        new("args command", "COMMAND", Command),
        new("cmd", "CMD", Command),
        new("tty tt tname", "TT", (p, _) => Terminal(p)),
        new("stat", "STAT", (p, _) => Stat(p)),
        new("s state", "S", (p, _) => p.State.ToString()),
        new("time cputime", "TIME", (p, _) => Long(p.CpuTicks / Ticks, hours: true)),
        new("etime", "ELAPSED", (p, h) => Long(Elapsed(p, h), hours: false)),
        new("etimes", "ELAPSED", (p, h) => Number(Elapsed(p, h))),
        new("lstart", "STARTED", (p, h) => Start(p, h).ToString("ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture)),
        new("start_time stime bsdstart start", "START", StartText),
        new("%cpu pcpu", "%CPU", (p, h) => (Share(p, h) * 100).ToString("0.0", CultureInfo.InvariantCulture)),
        new("c cp", "C", (p, h) => Number(Math.Min(99, (long)(Share(p, h) * 100)))),
        new("%mem pmem", "%MEM", (p, h) => (100.0 * p.ResidentPages * PageSize / h.Memory).ToString("0.0", CultureInfo.InvariantCulture)),
        new("vsz vsize", "VSZ", (p, _) => Number(p.VirtualBytes / 1024)),
        new("rss rssize rsz", "RSS", (p, _) => Number(p.ResidentPages * PageSize / 1024)),
        new("ni nice", "NI", (p, _) => Number(p.Nice)),
        new("pri", "PRI", (p, _) => Number(39 - p.Priority)),
        new("nlwp thcount", "NLWP", (p, _) => Number(p.Threads)),
    ];

    /// <summary><c>ps -ef</c>.</summary>
    internal static IReadOnlyList<ProcessColumn> Full { get; } =
    [
        Find("user")! with { Title = "UID" }, Find("pid")!, Find("ppid")!, Find("c")!, Find("stime")! with { Title = "STIME" },
        Find("tty")! with { Title = "TTY" }, Find("time")!, Find("cmd")!,
    ];

    /// <summary><c>ps -e</c>.</summary>
    internal static IReadOnlyList<ProcessColumn> Short { get; } = [Find("pid")!, Find("tty")! with { Title = "TTY" }, Find("time")!, Find("comm")! with { Title = "CMD" }];

    /// <summary><c>ps aux</c>.</summary>
    internal static IReadOnlyList<ProcessColumn> UserOriented { get; } =
    [
        Find("user")!, Find("pid")!, Find("%cpu")!, Find("%mem")!, Find("vsz")!, Find("rss")!, Find("tty")! with { Title = "TTY" },
        Find("stat")!, Find("start")!, BsdTime, Find("args")!,
    ];

    /// <summary><c>ps ax</c>.</summary>
    internal static IReadOnlyList<ProcessColumn> Bsd { get; } = [Find("pid")!, Find("tty")! with { Title = "TTY" }, Find("stat")!, BsdTime, Find("args")!];

    internal static ProcessColumn? Find(string word) => All.FirstOrDefault(c => c.Words.Split(' ').Contains(word));

    private static ProcessColumn BsdTime => new("bsdtime", "TIME", (p, _) =>
        string.Create(CultureInfo.InvariantCulture, $"{p.CpuTicks / Ticks / 60}:{p.CpuTicks / Ticks % 60:00}"));

    private static string User(ProcessEntry p, ProcessHost h) => h.Users.GetValueOrDefault(p.Uid) ?? Number(p.Uid);

    private static string Command(ProcessEntry p, ProcessHost h) => p.State == 'Z' ? $"[{p.Name}] <defunct>" : p.Arguments.Length > 0 ? p.Arguments : $"[{p.Name}]";

    /// <summary>The kernel's encoding of a device number: eight low bits of the minor, twelve of the major, twelve more of the minor.</summary>
    private static string Terminal(ProcessEntry p)
    {
        var (major, minor) = ((p.Terminal >> 8) & 0xfff, (p.Terminal & 0xff) | ((p.Terminal >> 12) & 0xfff00));
        return major switch
        {
            >= 136 and <= 143 => $"pts/{minor + ((major - 136) << 20)}",
            4 when minor < 64 => $"tty{minor}",
            4 => $"ttyS{minor - 64}",
            _ => "?",
        };
    }

    private static string Stat(ProcessEntry p) =>
        $"{p.State}{(p.Nice < 0 ? "<" : p.Nice > 0 ? "N" : "")}{(p.Session == p.Pid ? "s" : "")}{(p.Threads > 1 ? "l" : "")}{(p.Foreground == p.Group ? "+" : "")}";

    private static long Elapsed(ProcessEntry p, ProcessHost h) => Math.Max(0, h.Uptime - p.StartTicks) / Ticks;

    private static double Share(ProcessEntry p, ProcessHost h) => h.Uptime > p.StartTicks ? (double)p.CpuTicks / (h.Uptime - p.StartTicks) : 0;

    private static DateTimeOffset Start(ProcessEntry p, ProcessHost h) => h.Now.AddSeconds(-(h.Uptime - p.StartTicks) / (double)Ticks);

    private static string StartText(ProcessEntry p, ProcessHost h)
    {
        var start = Start(p, h);
        return start.ToString(start.Date == h.Now.Date ? "HH:mm" : start.Year == h.Now.Year ? "MMMdd" : "yyyy", CultureInfo.InvariantCulture);
    }

    /// <summary><c>[DD-]HH:MM:SS</c>; the elapsed time leaves the hours out while there are none.</summary>
    private static string Long(long seconds, bool hours)
    {
        var (d, h, m, s) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        return d > 0 ? string.Create(CultureInfo.InvariantCulture, $"{d}-{h:00}:{m:00}:{s:00}")
            : hours || h > 0 ? string.Create(CultureInfo.InvariantCulture, $"{h:00}:{m:00}:{s:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{m:00}:{s:00}");
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
