using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Api;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Worker;
using Orchestrator.Worker.Api;

namespace Orchestrator.Cli.Daemon;

/// <summary>
/// <c>orch daemon</c>: the engine, the agent and, where the node is one, the manager behind the API's sockets.
/// Started in the order worker (shim, leftovers), cluster socket, manager, API; stopped the other way round.
/// </summary>
internal sealed class DaemonHost
{
    /// <summary>How long calls may go on after the order to stop; streams without end are cut then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly DaemonOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly Stack<(string What, Func<ValueTask> Stop)> _undo = new();

    private DaemonHost(DaemonOptions options, TimeProvider time, ILoggerFactory logs)
    {
        _options = options;
        _time = time;
        _logs = logs;
        _log = logs.CreateLogger("Orchestrator.Cli.Daemon");
    }

    /// <summary>Runs until SIGTERM, SIGINT or cancellation; answers the process's exit code. A second signal ends the process at once.</summary>
    internal static async Task<int> RunAsync(DaemonOptions options, CancellationToken stop)
    {
        var problems = options.Check();
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
            return await new DaemonHost(options, TimeProvider.System, logs).RunAsync(signals, ending.Token);
        }
        catch (Exception e) when (e is DaemonException or IOException or UnauthorizedAccessException or SocketException)
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
            _log.Ready(Program.Version, _time.GetElapsedTime(began).TotalMilliseconds, string.Join(", ", _options.SocketPaths.Select(p => $"unix://{p}")));
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
            await StopAsync();
            _log.Stopped();
        }
    }

    /// <summary>Answers a task that faults when a part of the daemon cannot go on.</summary>
    private async Task<Task> StartAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(_options.DataRoot, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(_options.ExecRoot);
        var held = DaemonLock.Take(_options.DataRoot, _options.ExecRoot);
        Later("lock", () =>
        {
            held.Dispose();
            return ValueTask.CompletedTask;
        });
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
        Later("worker", worker.DisposeAsync);

        var clusterSocket = Path.Combine(_options.ExecRoot, "cluster.sock");
        var channel = new RpcChannel(new RpcChannelOptions { Connect = RpcConnects.Unix(clusterSocket), Time = _time });
        Later("cluster channel", () =>
        {
            channel.Dispose();
            return ValueTask.CompletedTask;
        });
        var node = new SwarmNode(worker, DispatcherRpc.Client(channel), _options, _time, _logs);
        await ListenClusterAsync(clusterSocket, node, stop);
        Later("cluster node", node.DisposeAsync);
        await node.ResumeAsync(stop);
        await ListenApiAsync(worker, node, stop);
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

    /// <summary>
    /// Between nodes: gRPC, for root alone until nodes have certificates. TCP with mutual TLS takes this listener's place, and the channel's
    /// connect function its other end.
    /// </summary>
    private async Task ListenClusterAsync(string path, SwarmNode node, CancellationToken stop)
    {
        await ApiSocket.ClearAsync(path, stop);
        var rpc = new RpcServer(_time, _logs.CreateLogger("Orchestrator.Shared.Rpc")) { Local = () => node.Self };
        DispatcherRpc.Map(rpc, () => node.Dispatcher);
        var host = await HttpHost.StartAsync(
            server =>
            {
                RpcKestrel.Configure(server);
                server.ListenUnixSocket(path, RpcKestrel.Endpoint);
            },
            async http =>
            {
                if (!await rpc.TryHandleAsync(http))
                    http.Response.StatusCode = 404;
            },
            _logs,
            stop);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Later("cluster socket", () => StopListeningAsync(host, [path]));
    }

    private async Task ListenApiAsync(WorkerHost worker, SwarmNode node, CancellationToken stop)
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
        var host = await HttpHost.StartAsync(
            server =>
            {
                // Archives are large and logs are slow: both are the caller's own affair on a socket of this host.
                server.Limits.MaxRequestBodySize = null;
                server.Limits.MinRequestBodyDataRate = null;
                server.Limits.MinResponseDataRate = null;
                foreach (var path in _options.SocketPaths)
                {
                    server.ListenUnixSocket(path, endpoint =>
                    {
                        endpoint.Protocols = HttpProtocols.Http1;
                        endpoint.UseHijack();
                    });
                }
            },
            router.DispatchAsync,
            _logs,
            stop);
        foreach (var path in _options.SocketPaths)
            ApiSocket.Share(path);
        Later("API", () => StopListeningAsync(host, _options.SocketPaths));
    }

    private async ValueTask StopListeningAsync(HttpHost host, IReadOnlyList<string> paths)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        await host.StopAsync(patience.Token);
        await host.DisposeAsync();
        foreach (var path in paths)
            File.Delete(path);
    }

    private void Later(string what, Func<ValueTask> stop) => _undo.Push((what, stop));

    private async Task StopAsync()
    {
        while (_undo.TryPop(out var part))
        {
            try
            {
                await SlowEnd.WatchAsync(part.Stop().AsTask(), () => part.What, _time, _log);
            }
            catch (Exception failure)
            {
                _log.StopFailed(failure, part.What); // the rest still has to stop
            }
        }
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

    /// <summary>The first SIGTERM or SIGINT asks the daemon to stop; the second is the kernel's own, and ends it.</summary>
    private sealed class StopSignals : IDisposable
    {
        private readonly List<PosixSignalRegistration> _registrations = [];

        internal StopSignals(CancellationTokenSource ending)
        {
            foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
            {
                _registrations.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    if (ending.IsCancellationRequested)
                        return; // not cancelled: the default action
                    context.Cancel = true;
                    Reason = context.Signal.ToString();
                    ending.Cancel();
                }));
            }
        }

        internal string Reason { get; private set; } = "cancelled";

        public void Dispose() => _registrations.ForEach(r => r.Dispose());
    }
}
