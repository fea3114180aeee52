using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Daemon.Reach;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Worker;
using Orchestrator.Worker.Api;

namespace Orchestrator.Cli.Daemon;

/// <summary>
/// <c>orch daemon</c>: the engine, the agent and, where the node is one, the manager behind the API's sockets.
/// Started in the order worker (shim, leftovers), cluster socket, manager, API; stopped the other way round.
/// </summary>
internal sealed class DaemonHost
{
    private readonly DaemonOptions _options;
    private readonly TlsParts? _tls;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly StartedParts _parts;

    private DaemonHost(DaemonOptions options, TlsParts? tls, TimeProvider time, ILoggerFactory logs)
    {
        _options = options;
        _tls = tls;
        _time = time;
        _logs = logs;
        _log = logs.CreateLogger("Orchestrator.Cli.Daemon");
        _parts = new(time, _log);
    }

    /// <summary>Runs until SIGTERM, SIGINT or cancellation; answers the process's exit code. A second signal ends the process at once.</summary>
    internal static async Task<int> RunAsync(DaemonOptions options, CancellationToken stop)
    {
        var problems = options.Check().ToList();
        var tls = options.Tls?.Read(problems, TimeProvider.System.GetUtcNow());
        if (problems.Count > 0)
        {
            foreach (var problem in problems)
                await Console.Error.WriteLineAsync(problem.ToString());
            return 1;
        }

        if (!Environment.IsPrivilegedProcess)
        {
            await Console.Error.WriteLineAsync("orch daemon makes namespaces, mounts and networks: run it as root");
            return 1;
        }

        using var logs = ConsoleLog.Factory(options.Level, TimeProvider.System);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var signals = new StopSignals(ending);
        try
        {
            return await new DaemonHost(options, tls, TimeProvider.System, logs).RunAsync(signals, ending.Token);
        }
        catch (Exception e) when (e is DaemonException or JournalException or IOException or UnauthorizedAccessException or SocketException)
        {
            await Console.Error.WriteLineAsync($"orch daemon: {e.Message}");
            return 1;
        }
    }

    private async Task<int> RunAsync(StopSignals signals, CancellationToken stop)
    {
        var began = _time.GetTimestamp();
        try
        {
            var failed = await StartAsync(stop);
            _log.Ready(Program.Version, _time.GetElapsedTime(began).TotalMilliseconds, string.Join(", ", [.. _options.SocketPaths.Select(p => $"unix://{p}"), .. _options.TcpEndpoints.Select(e => $"tcp://{e}")]));
            Notify("READY=1");
            await Task.WhenAny(failed, Task.Delay(Timeout.InfiniteTimeSpan, _time, stop));
            Notify("STOPPING=1");
            if (failed is { IsFaulted: true, Exception: { } failure })
            {
                _log.PartFailed(failure.GetBaseException());
                return 1;
            }

            _log.Stopping(signals.Reason);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _log.Stopping($"{signals.Reason} while starting");
            return 0;
        }
        finally
        {
            await _parts.StopAsync();
            _log.Stopped();
        }
    }

    /// <summary>Answers a task that faults when a part of the daemon cannot go on.</summary>
    private async Task<Task> StartAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(_options.DataRoot, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(_options.ExecRoot);
        _parts.Add("lock", DaemonLock.Take(_options.DataRoot, _options.ExecRoot));
        foreach (var path in _options.SocketPaths)
            await ApiSocket.ClearAsync(path, stop);

        var worker = await WorkerHost.StartAsync(
            new WorkerHostOptions
            {
                DataRoot = _options.DataRoot,
                ExecRoot = _options.ExecRoot,
                CgroupParent = _options.CgroupParent,
                ShimCommand = _options.Self ?? SelfCommand(),
                EngineVersion = Program.Version,
                Labels = _options.Labels.Select(l => l.Split('=', 2)).ToDictionary(l => l[0], l => l[1], StringComparer.Ordinal),
                Remap = Remap(),
                DefaultLog = _options.DefaultLog,
                DefaultUlimits = _options.Ulimits,
                Time = _time,
            },
            _logs,
            stop);
        _parts.Add("worker", worker.DisposeAsync);

        var clusterSocket = Path.Combine(_options.ExecRoot, "cluster.sock");
        var channel = new RpcChannel(new RpcChannelOptions { Connect = RpcConnects.Unix(clusterSocket), Time = _time });
        _parts.Add("cluster channel", channel);
        var node = new SwarmNode(worker, DispatcherRpc.Client(channel), _options, _time, _logs);
        var router = Map(worker, node);
        var listeners = new DaemonListeners(_options, _tls, _parts, _time, _logs);
        await listeners.ListenClusterAsync(clusterSocket, node, stop);
        _parts.Add("cluster node", node.DisposeAsync);
        await node.ResumeAsync(stop);
        await listeners.ListenApiAsync(router, stop);
        _parts.Add("leadership", node.StepAsideAsync);
        return Task.WhenAny(worker.Failed, node.Failed).Unwrap();
    }

    private Worker.Containers.Plan.UserRemap? Remap()
    {
        if (_options.UsernsRemap is not { } flag)
            return null;
        try
        {
            return RemapReader.Read(flag, _options.DataRoot, _options.ExecRoot);
        }
        catch (Worker.Runtime.RuntimeException cannot)
        {
            throw new DaemonException(cannot.Message, cannot);
        }
    }

    private ApiRouter Map(WorkerHost worker, SwarmNode node)
    {
        var router = new ApiRouter(Program.Version, _time, _logs.CreateLogger<ApiRouter>());
        var networks = new HostNetworkList(worker.Networks, worker.Containers, worker.Events, _options.DataRoot, _time);
        EngineApi.Map(router, new EngineParts
        {
            Containers = worker.Containers,
            Images = worker.Images,
            Volumes = worker.Volumes,
            Networks = networks,
            Events = worker.Events,
            BuildRunner = worker.BuildRunner,
            Swarm = node.Info,
            DataRoot = _options.DataRoot,
            ExecRoot = _options.ExecRoot,
            Version = Program.Version,
            Debug = _options.Level <= LogLevel.Debug,
            Labels = _options.Labels,
            LogDriver = _options.LogDriver,
            Remapped = _options.UsernsRemap is not null,
            Time = _time,
        });
        ClusterApi.Map(router, node, networks, _time, _logs);
        node.Door = new ReachDoor(router, _time, _log); // before anything stands in front of the engine: from there nothing is passed on
        new ReachApi(node, () => node.Reach, worker.Containers, _time, _log).Stand(router);
        return router;
    }

    private void Notify(string state)
    {
        try
        {
            ReadyNotice.Send(state, Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        }
        catch (SocketException e)
        {
            _log.NoticeFailed(e.Message);
        }
    }

    /// <summary>This binary, or <c>dotnet</c> and the program's file when it runs so.</summary>
    private static IReadOnlyList<string> SelfCommand()
    {
        var process = Environment.ProcessPath ?? throw new DaemonException("the running program's path is not known");
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, Path.Combine(AppContext.BaseDirectory, "orch.dll")] : [process];
    }
}
