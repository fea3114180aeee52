using System.Globalization;

namespace Orchestrator.Cli.Daemon;

/// <summary>Holds a data root for one daemon, and the file with its process id.</summary>
internal sealed class DaemonLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _pidFile;

    private DaemonLock(FileStream file, string pidFile)
    {
        _file = file;
        _pidFile = pidFile;
    }

    /// <exception cref="DaemonException">Another daemon has it.</exception>
    internal static DaemonLock Take(string dataRoot, string execRoot)
    {
        var pidFile = Path.Combine(execRoot, "orch.pid");
        FileStream file;
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB): the kernel lets go of it when the process ends, however it ends.
            file = new FileStream(Path.Combine(dataRoot, "daemon.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(Path.Combine(dataRoot, "daemon.lock")))
        {
            var who = File.Exists(pidFile) ? $" (pid {File.ReadAllText(pidFile).Trim()})" : "";
            throw new DaemonException($"another daemon{who} uses the data root {dataRoot}; stop it, or give this one its own --data-root and --exec-root", e);
        }

        File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return new(file, pidFile);
    }

    public void Dispose()
    {
        File.Delete(_pidFile);
        _file.Dispose();
    }
}
