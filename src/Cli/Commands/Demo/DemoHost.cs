using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Cli.Client;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Demo;

/// <summary>The demo's daemon: its own roots and socket, started in the background, stopped by its process id.</summary>
internal sealed class DemoHost(TimeProvider time)
{
    internal const string DataRoot = "/var/lib/orch-demo";
    internal const string ExecRoot = "/run/orch-demo";
    internal const string Socket = ExecRoot + "/orch.sock";
    internal const string LogFile = DataRoot + "/daemon.log";

    private const string PidFile = ExecRoot + "/orch.pid";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    internal static bool LeftAnything => Directory.Exists(DataRoot) || Directory.Exists(ExecRoot);

    internal static async Task<bool> AnswersAsync(EngineClient client, CancellationToken stop)
    {
        if (!File.Exists(Socket))
            return false;
        try
        {
            await client.SendAsync(HttpMethod.Get, "/_ping", stop);
            return true;
        }
        catch (EngineUnreachableException)
        {
            return false;
        }
    }

    /// <summary>Starts the daemon in a session of its own, so that a Ctrl-C here does not reach it, and waits until it answers.</summary>
    internal async Task StartAsync(EngineClient client, CancellationToken stop)
    {
        Directory.CreateDirectory(DataRoot);
        Directory.CreateDirectory(ExecRoot);
        var self = Environment.ProcessPath ?? throw new CommandException("the running program's path is not known");
        string[] program = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [self, Path.Combine(AppContext.BaseDirectory, "orch.dll")] : [self];
        var start = new ProcessStartInfo("/bin/sh",
            ["-c", "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", LogFile, .. program, "daemon", "--data-root", DataRoot, "--exec-root", ExecRoot])
        {
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start) ?? throw new CommandException("the daemon cannot be started");
        var began = time.GetTimestamp();
        while (!await AnswersAsync(client, stop))
        {
            if (process.HasExited)
                throw new CommandException($"the daemon ended at once with {process.ExitCode}; its log, {LogFile}, ends:\n{Tail()}");
            if (time.GetElapsedTime(began) > Patience)
                throw new CommandException($"the daemon does not answer after {Patience.TotalSeconds:F0} s; its log, {LogFile}, ends:\n{Tail()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, stop);
        }
    }

    /// <summary>Asks the daemon to end, and makes it when it does not.</summary>
    internal async Task StopAsync(CancellationToken stop)
    {
        if (!File.Exists(PidFile) || !int.TryParse((await File.ReadAllTextAsync(PidFile, stop)).Trim(), CultureInfo.InvariantCulture, out var pid) || !IsOurs(pid))
            return;
        PidFd.Kill(pid, 15);
        var began = time.GetTimestamp();
        while (IsOurs(pid))
        {
            if (time.GetElapsedTime(began) > Patience)
                PidFd.Kill(pid, 9);
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, stop);
        }
    }

    /// <summary>A process id may have been given to somebody else since; a zombie is no longer ours to wait for.</summary>
    private static bool IsOurs(int pid)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
            return words.Contains("daemon") && words.Contains(ExecRoot);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Tail() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(10)) : "(empty)";

    internal static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
