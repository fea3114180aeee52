using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>The host's shim: the parent of every container, and what must go on while the daemon does not.</summary>
internal static class ShimMain
{
    internal const string ReadyVariable = "ORCH_SHIM_READY_FD";

    /// <summary>Names the cgroup below which nothing but this instance's containers and its shim are.</summary>
    internal const string GroupVariable = "ORCH_SHIM_INSTANCE_GROUP";

    /// <summary>The shim's own group in the instance's.</summary>
    internal const string GroupName = "shim";

    private const int AnotherRuns = 75; // EX_TEMPFAIL
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockLook = TimeSpan.FromMilliseconds(10);

    /// <summary>Where the shim of an exec root listens.</summary>
    internal static string SocketPath(string execRoot) => Path.Combine(execRoot, "shim.sock");

    /// <summary>Where its containers' FIFOs lie.</summary>
    internal static string ContainersPath(string execRoot) => Path.Combine(execRoot, "containers");

    /// <summary>Serves until asked to shut down. The exit code of the process.</summary>
    /// <param name="execRoot">Socket and FIFOs lie here.</param>
    /// <param name="services">What it answers for besides containers.</param>
    /// <param name="version">The program's version, told to daemons.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Makes loggers.</param>
    internal static async Task<int> RunAsync(
        string execRoot, IReadOnlyList<IShimService> services, string version, TimeProvider time, ILoggerFactory logs)
    {
        Self.Hide();
        Self.LeaveSession();
        Self.AdoptOrphans();
        Directory.CreateDirectory(execRoot);
        var log = logs.CreateLogger("Orchestrator.Shim");
        using var held = await LockAsync(execRoot, time);
        if (held is null)
        {
            log.AnotherShimRuns(execRoot);
            return AnotherRuns;
        }
        using var stop = new CancellationTokenSource();
        using var runtime = new LocalRuntime(ContainersPath(execRoot), time, log);
        await runtime.TakeOverAsync(Environment.GetEnvironmentVariable(GroupVariable));
        using var orphans = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => runtime.ReapOrphans());
        // Containers must not die with whoever stops or closes the daemon's terminal; a shim ends when it is told to and idle.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            if (runtime.Running == 0)
                stop.Cancel();
        });
        runtime.ReapOrphans(); // those that ended before the handler was there
        var path = SocketPath(execRoot);
        var server = new ShimServer(path, [.. services, new RuntimeService(runtime), new ControlService(version, runtime, stop)], log);
        var serving = server.RunAsync(
            () =>
            {
                log.Listening(version, path, Environment.ProcessId);
                TellReady();
            },
            stop.Token);
        var thrift = IdleMemory.RunAsync(IdleMemory.ShimBurst, time, stop.Token);
        var ended = await Task.WhenAny(serving, runtime.Broken);
        await stop.CancelAsync();
        await EndAsync(thrift, log);
        if (ended == serving)
        {
            await serving;
            return 0;
        }
        return 70; // EX_SOFTWARE: a new shim finds the containers by their groups
    }

    private static async Task EndAsync(Task thrift, ILogger log)
    {
        try
        {
            await thrift;
        }
        catch (OperationCanceledException)
        {
            // as asked
        }
        catch (Exception error)
        {
            log.ThriftEnded(error);
        }
    }

    /// <summary>One shim an exec root: two would read each other's output. Null when another one stays.</summary>
    private static async Task<FileStream?> LockAsync(string execRoot, TimeProvider time)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(execRoot, "shim.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException) when (time.GetElapsedTime(began) < LockPatience)
            {
                // What a shim that died was launching holds its descriptors until it executes its program.
                await Task.Delay(LockLook, time);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Whoever started us waits on a pipe.</summary>
    private static void TellReady()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable(ReadyVariable), out var fd))
            return;
        using var pipe = new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true);
        using var stream = new FileStream(pipe, FileAccess.Write, bufferSize: 0);
        stream.WriteByte(1);
    }
}
