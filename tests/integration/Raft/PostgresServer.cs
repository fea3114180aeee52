using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>A PostgreSQL server of the distribution's, with its data in a temporary directory and a socket there: started and ended by its process id.</summary>
public sealed class PostgresServer : IDisposable
{
    private readonly TemporaryDirectory root = new();
    private readonly string programs;
    private Process? server;

    public PostgresServer()
    {
        programs = Directory.EnumerateDirectories("/usr/lib/postgresql").OrderBy(d => double.Parse(Path.GetFileName(d), CultureInfo.InvariantCulture)).Last() + "/bin/";
        Run("chown", "postgres", root.Path);
        Run("runuser", "-u", "postgres", "--", programs + "initdb", "--pgdata", root["data"], "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync");
        Start();
        using var connection = Connect("postgres");
        using var create = new NpgsqlCommand("CREATE DATABASE journal", connection);
        create.ExecuteNonQuery();
    }

    internal string Uri => $"postgres://postgres@localhost/journal?host={root.Path}";

    internal void Start(params string[] settings)
    {
        for (var n = 0; !TryConnect(); n++)
        {
            if (n == 300)
                throw new InvalidOperationException("the PostgreSQL server does not start");
            if (server is not { HasExited: false })
                Launch(settings); // what a crash left may still hold its memory for a moment
            server!.WaitForExit(TimeSpan.FromMilliseconds(50));
        }
    }

    private void Launch(string[] settings)
    {
        server?.Dispose();
        var start = new ProcessStartInfo("runuser") { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-u", "postgres", "--", programs + "postgres", "-D", root["data"], "-k", root.Path, "-h", "", .. settings.SelectMany(s => (string[])["-c", s])])
            start.ArgumentList.Add(argument);
        server = Process.Start(start)!;
        server.BeginOutputReadLine(); // and nobody listens: its pipes never fill
        server.BeginErrorReadLine();
    }

    private bool TryConnect()
    {
        try
        {
            using var connection = Connect("postgres");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>The server is gone in an instant, as by a power failure of its machine; its children end when they notice.</summary>
    internal void Crash() => End("KILL");

    internal NpgsqlConnection Connect(string database = "journal")
    {
        var connection = new NpgsqlConnection($"Host={root.Path};Username=postgres;Database={database};Pooling=false;Timeout=5;Search Path=orch,public");
        connection.Open();
        return connection;
    }

    public void Dispose()
    {
        End("INT");
        root.Dispose();
    }

    private int Postmaster => int.Parse(File.ReadLines(root["data/postmaster.pid"]).First(), CultureInfo.InvariantCulture);

    private void End(string signal)
    {
        if (server is null)
            return;
        if (File.Exists(root["data/postmaster.pid"]))
        {
            var postmaster = Postmaster;
            var children = signal == "KILL" ? Children(postmaster) : [];
            Run("kill", "-" + signal, postmaster.ToString(CultureInfo.InvariantCulture));
            foreach (var child in children)
                Kill(child);
        }

        server.WaitForExit();
        server.Dispose();
        server = null;
    }

    private static void Kill(int child)
    {
        try
        {
            using var process = Process.GetProcessById(child);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // it ended meanwhile
        }
    }

    private static int[] Children(int postmaster)
    {
        return [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, CultureInfo.InvariantCulture, out _)).Where(n => ParentOf(n!) == postmaster)
            .Select(n => int.Parse(n!, CultureInfo.InvariantCulture))];
    }

    private static int ParentOf(string process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it ended meanwhile
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        output.Wait();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors}");
    }
}
