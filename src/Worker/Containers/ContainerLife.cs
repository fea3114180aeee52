using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>The one owner of a container: everything that happens to it passes through its inbox, one at a time.</summary>
/// <remarks>Orders that take long (a stop's grace) are remembered, not waited for: a kill gets through meanwhile.</remarks>
internal sealed partial class ContainerLife
{
    private const int InboxCapacity = 256;
    private static readonly TimeSpan RecordAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);

    private readonly ContainerServices services;
    private readonly ContainerDirectory directory;
    private readonly ContainerVolumes volumes;
    private readonly Func<ContainerLife, ValueTask> forget;
    private readonly Func<string, ContainerSnapshot?> find;
    private readonly Mailbox<(string Name, Func<Task> Do)> inbox = new(InboxCapacity, WhenFull.Wait);
    private readonly List<(WaitCondition Condition, TaskCompletionSource<ContainerWaitReply> Done)> waiters = [];
    private readonly List<TaskCompletionSource<bool>> untilExit = [];
    private readonly List<TaskCompletionSource<bool>> untilRemoved = [];

    private StoredContainer container;
    private StoredState state;
    private TaskCompletionSource logEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task detaching = Task.CompletedTask;
    private ITimer? recordTimer;
    private ITimer? timer;
    private int quickExits;
    private bool gone;
    private volatile ContainerSnapshot snapshot;

    /// <param name="services">What it stands on.</param>
    /// <param name="container">What it is.</param>
    /// <param name="state">How it was left.</param>
    /// <param name="forget">Told when it is removed.</param>
    /// <param name="find">Finds another container of this host.</param>
    internal ContainerLife(
        ContainerServices services, StoredContainer container, StoredState state, Func<ContainerLife, ValueTask> forget, Func<string, ContainerSnapshot?> find)
    {
        this.find = find;
        this.services = services;
        this.container = container;
        this.state = state;
        this.forget = forget;
        directory = new ContainerDirectory(services.Root, container.Id);
        volumes = new ContainerVolumes(services.Volumes, services.Log);
        if (state.Status != ContainerStatus.Running)
            logEnded.SetResult();
        check = HealthCheck.Of(container.Config);
        snapshot = new ContainerSnapshot(container, state, logEnded.Task) { HealthChanged = healthChanged.Task };
    }

    internal ContainerSnapshot Snapshot => snapshot;

    internal string Id => container.Id;

    /// <summary>Obeys the inbox until the container is removed or <see cref="Close"/> is called.</summary>
    internal async Task RunAsync()
    {
        await foreach (var (name, work) in inbox.Reader.ReadAllAsync())
        {
            try
            {
                await work();
            }
            catch (Exception e)
            {
                services.Log.ContainerWorkFailed(e, Id, name);
            }
        }

        await EndProbingAsync();
        if (timer is not null)
            await timer.DisposeAsync();
        if (recordTimer is not null)
            await recordTimer.DisposeAsync();
        await detaching;
    }

    /// <summary>The daemon stops: what waits in the inbox is done, then the loop ends. The container runs on.</summary>
    internal void Close() => inbox.Close();

    /// <summary>Completes when nothing of a run that ended is on any network: waiters hear of the end before that.</summary>
    internal Task<bool> SettledAsync(CancellationToken stop) => AskAsync("settle", async () =>
    {
        await detaching;
        return true;
    }, stop);

    internal Task<bool> StartAsync(CancellationToken stop) => AskAsync("start", async () =>
    {
        if (state is { Status: ContainerStatus.Running, Paused: true })
            throw new ContainerConflictException("cannot start a paused container, try unpause instead");
        if (state.Status == ContainerStatus.Running)
            return false;
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            throw new ContainerConflictException("container is marked for removal and cannot be started");
        await DropTimerAsync();
        quickExits = 0;
        try
        {
            await StartOnceAsync(restarts: 0);
        }
        catch (ContainerStartException) when (container.HostConfig.AutoRemove)
        {
            await RemoveNowAsync();
            throw;
        }

        return true;
    }, stop);

    internal async Task<bool> StopAsync(TimeSpan? grace, string? signal, CancellationToken stop)
    {
        var number = ParseSignal(signal ?? container.Config.StopSignal ?? "SIGTERM");
        var wait = grace ?? (container.Config.StopTimeout is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultGrace);
        var exited = NewSource<bool>();
        var running = await AskAsync("stop", async () =>
        {
            if (state.Status == ContainerStatus.Restarting)
            {
                await DropTimerAsync();
                Keep(state with { Status = ContainerStatus.Exited, StoppedByUser = true });
                return false;
            }

            if (state.Status != ContainerStatus.Running)
                return false;
            untilExit.Add(exited);
            Keep(state with { StoppedByUser = true });
            await SignalAsync(number);
            if (wait >= TimeSpan.Zero)
                await KillAfterAsync(wait);
            return true;
        }, stop);
        if (!running)
            return false;
        await exited.Task.WaitAsync(stop);
        Publish("stop");
        return true;
    }

    internal async Task KillAsync(string? signal, CancellationToken stop)
    {
        var number = ParseSignal(signal is null or "" ? "SIGKILL" : signal);
        var exited = NewSource<bool>();
        await AskAsync("kill", async () =>
        {
            if (state.Status != ContainerStatus.Running)
                throw new ContainerConflictException($"cannot kill container: {container.Id}: container {container.Id} is not running");
            var ends = number == Signals.Kill || number == ParseSignal(container.Config.StopSignal ?? "SIGTERM");
            if (ends)
                Keep(state with { StoppedByUser = true });
            if (number == Signals.Kill)
                untilExit.Add(exited);
            await SignalAsync(number);
            return true;
        }, stop);
        if (number == Signals.Kill)
            await exited.Task.WaitAsync(stop);
    }

    internal Task<bool> RenameAsync(string name, CancellationToken stop) => AskAsync("rename", () =>
    {
        var before = container.Name;
        var renamed = container with { Name = name };
        directory.Write(renamed);
        container = renamed;
        snapshot = snapshot with { Container = renamed };
        Publish("rename", ("oldName", "/" + before));
        return Task.FromResult(true);
    }, stop);

    internal async Task<ContainerWaitReply> WaitAsync(WaitCondition condition, CancellationToken stop)
    {
        var done = NewSource<ContainerWaitReply>();
        await AskAsync("wait", () =>
        {
            if (condition == WaitCondition.NotRunning && state.Status is not (ContainerStatus.Running or ContainerStatus.Restarting))
                done.SetResult(ExitReply());
            else
                waiters.Add((condition, done));
            return Task.FromResult(true);
        }, stop);
        await using var cancel = stop.UnsafeRegister(
            (source, token) => ((TaskCompletionSource<ContainerWaitReply>)source!).TrySetCanceled(token), done);
        return await done.Task;
    }

    private async Task<T> AskAsync<T>(string name, Func<Task<T>> work, CancellationToken stop)
    {
        var done = NewSource<T>();
        var taken = await inbox.SendAsync((name, async () =>
        {
            try
            {
                if (gone)
                    throw new ContainerNotFoundException(Id);
                done.TrySetResult(await work());
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        }), stop);
        return taken ? await done.Task.WaitAsync(stop) : throw new ContainerNotFoundException(Id);
    }

    /// <summary>For what the machine says: nobody waits for an answer, failures are logged.</summary>
    private async Task TellAsync(string name, Func<Task> work) => await inbox.SendAsync((name, work), CancellationToken.None);

    private async Task SignalAsync(int signal)
    {
        Publish("kill", ("signal", signal.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        try
        {
            await services.Runtime.SignalAsync(Id, signal, CancellationToken.None);
        }
        catch (RuntimeException)
        {
            // It may just have ended, and its exit is on the way; or the runtime lost it.
            await CheckAsync();
        }

        await ThawToObeyAsync(signal);
    }

    private async Task KillAfterAsync(TimeSpan grace)
    {
        await DropTimerAsync();
        var pid = state.Pid;
        timer = services.Time.CreateTimer(_ => Post("grace over", async () =>
        {
            if (state.Status != ContainerStatus.Running || state.Pid != pid)
                return;
            services.Log.GraceIsOver(Id, grace);
            await SignalAsync(Signals.Kill);
        }), null, grace, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From a timer, which cannot wait: a full inbox means that orders pile up, and the timer tries again.</summary>
    private void Post(string name, Func<Task> work)
    {
        if (!inbox.TrySend((name, work)))
            timer?.Change(TimeSpan.FromMilliseconds(100), Timeout.InfiniteTimeSpan);
    }

    private async ValueTask DropTimerAsync()
    {
        if (timer is { } old)
        {
            timer = null;
            await old.DisposeAsync();
        }
    }

    /// <summary>Records the new state, then shows it.</summary>
    private void Set(StoredState next)
    {
        directory.Write(next);
        state = next;
        snapshot = new ContainerSnapshot(container, next, logEnded.Task) { HealthChanged = healthChanged.Task };
    }

    /// <summary>What happened has happened: it is shown also where no room is left to record it, and is recorded when there is some.</summary>
    private void Keep(StoredState next)
    {
        try
        {
            Set(next);
        }
        catch (IOException e)
        {
            services.Log.NotRecorded(Id, e.Message);
            state = next;
            snapshot = new ContainerSnapshot(container, next, logEnded.Task) { HealthChanged = healthChanged.Task };
            RecordLater();
        }
    }

    private void RecordLater()
    {
        recordTimer?.Dispose();
        recordTimer = services.Time.CreateTimer(_ => inbox.TrySend(("record", RecordAsync)), null, RecordAgain, RecordAgain);
    }

    private Task RecordAsync()
    {
        if (recordTimer is null)
            return Task.CompletedTask;
        try
        {
            if (!gone)
                directory.Write(state);
            recordTimer.Dispose();
            recordTimer = null;
        }
        catch (IOException)
        {
            // The timer comes again; that there is no room was told.
        }

        return Task.CompletedTask;
    }

    private ContainerWaitReply ExitReply() => new()
    {
        StatusCode = state.ExitCode,
        Error = !state.ExitUnknown ? null : new ContainerWaitError { Message = state.Error },
    };

    internal void Publish(string action, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var attributes = new Dictionary<string, string>(container.Config.Labels, StringComparer.Ordinal)
        {
            ["image"] = container.Config.Image,
            ["name"] = container.Name,
        };
        foreach (var (name, value) in more)
            attributes[name] = value;
        services.Events.Publish("container", action, Id, attributes);
    }

    private static int ParseSignal(string text) =>
        Signals.Parse(text) ?? throw new InvalidContainerException("signal", $"Invalid signal: {text}");

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
