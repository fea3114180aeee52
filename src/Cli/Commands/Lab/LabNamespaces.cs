using System.Globalization;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>Who is in which namespace, namespaces(7).</summary>
internal static class LabNamespaces
{
    private static readonly string[] Kinds = ["net", "mnt", "uts", "ipc", "pid", "cgroup"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>As the links in <c>/proc/PID/ns</c> read. A process that has ended is in none.</summary>
    internal static IEnumerable<string> Of(int pid) =>
        Kinds.Select(kind => Link($"/proc/{pid}/ns/{kind}")).OfType<string>();

    /// <summary>The processes that are in any of them.</summary>
    internal static IReadOnlySet<int> Inside(IEnumerable<(string Host, string Namespace)> namespaces)
    {
        var wanted = namespaces.Select(n => n.Namespace).ToHashSet(StringComparer.Ordinal);
        return wanted.Count == 0 ? new HashSet<int>() : Processes().Where(pid => Of(pid).Any(wanted.Contains)).ToHashSet();
    }

    /// <summary>Waits until none of the processes is in any of them; answers who still is.</summary>
    /// <param name="namespaces">The lab's.</param>
    /// <param name="before">Who was in one while the lab was up. Anybody else is in another namespace: the kernel gives a number again at once.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends the wait.</param>
    internal static async Task<IReadOnlyList<string>> EmptyAsync(
        IEnumerable<(string Host, string Namespace)> namespaces, IReadOnlySet<int> before, TimeProvider time, CancellationToken stop)
    {
        var wanted = namespaces.ToDictionary(n => n.Namespace, n => n.Host, StringComparer.Ordinal);
        if (wanted.Count == 0)
            return [];
        var began = time.GetTimestamp();
        while (true)
        {
            var inside = before.SelectMany(pid => Of(pid).Where(wanted.ContainsKey).Take(1).Select(ns => (pid, ns))).ToList();
            if (inside.Count == 0)
                return [];
            if (time.GetElapsedTime(began) > Patience)
                return [.. inside.Select(i => $"process {i.pid} ({Name(i.pid)}), which is not the lab's, is in {wanted[i.ns]}'s namespace {i.ns}: end it, then try again")];
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, stop);
        }
    }

    private static IEnumerable<int> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(n => n![0] is >= '0' and <= '9').Select(n => int.Parse(n!, CultureInfo.InvariantCulture));

    private static string? Link(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it went while it was looked at
        }
    }

    private static string Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return "ended";
        }
    }
}
