using System.Security.Cryptography;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Execs;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Further programs in containers that run.</summary>
internal sealed partial class ContainerHost
{
    private const int NoProgram = 126;
    private readonly ExecRegistry execs = new(services.Time);
    private readonly Dictionary<string, Task> execWatches = [];
    private readonly CancellationTokenSource closing = new();

    /// <summary>Takes a request for a program; nothing runs yet. The answer is the exec's id.</summary>
    /// <exception cref="ContainerConflictException">The container does not run.</exception>
    /// <exception cref="InvalidContainerException">The request cannot work; every problem is named.</exception>
    internal string CreateExec(string reference, ExecCreateRequest request)
    {
        var snapshot = index.Find(reference).Snapshot;
        var problems = new List<Problem>();
        ExecProcessPlan.Check(request, problems);
        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
        CheckRuns(snapshot, "exec");
        var exec = new Exec(IdText.Host(RandomNumberGenerator.GetBytes(32)), snapshot.Id, request);
        execs.Add(exec);
        PublishExec(exec, $"exec_create: {string.Join(' ', request.Cmd)}");
        return exec.Id;
    }

    /// <exception cref="ExecNotFoundException">There is none.</exception>
    internal Exec FindExec(string id) => execs.Find(id);

    /// <summary>Whether it is of this host.</summary>
    internal bool HasExec(string id) => execs.Has(id);

    internal ExecInspect InspectExec(string id)
    {
        var exec = execs.Find(id);
        var (state, request) = (exec.State, exec.Request);
        return new ExecInspect
        {
            Id = exec.Id,
            Running = state.Stage == ExecStage.Running,
            ExitCode = state.ExitCode,
            Pid = state.Pid,
            ContainerId = exec.ContainerId,
            OpenStdin = request.AttachStdin,
            OpenStdout = request.AttachStdout,
            OpenStderr = request.AttachStderr,
            CanRemove = state.Stage == ExecStage.Ended,
            DetachKeys = request.DetachKeys ?? "",
            ProcessConfig = new ExecProcess
            {
                Tty = request.Tty,
                Entrypoint = request.Cmd[0],
                Arguments = [.. request.Cmd.Skip(1)],
                Privileged = request.Privileged,
                User = request.User,
            },
        };
    }

    /// <summary>Takes the one start that an exec has.</summary>
    /// <exception cref="ContainerConflictException">It was started already, or its container does not run any more.</exception>
    internal Exec BeginExec(string id)
    {
        var exec = execs.Find(id);
        CheckRuns(index.Find(exec.ContainerId).Snapshot, "exec");
        return exec.TryBegin() ? exec : throw new ContainerConflictException($"Exec command {exec.Id} was started already");
    }

    /// <summary>Starts what <see cref="BeginExec"/> gave. Until <see cref="Exec.Release"/> the caller reads its output.</summary>
    /// <exception cref="ContainerStartException">Its program could not be started; that is then the exec's end.</exception>
    internal async Task<IExecSession> StartExecAsync(Exec exec, IReadOnlyList<int> size, bool detached, CancellationToken stop)
    {
        PublishExec(exec, $"exec_start: {string.Join(' ', exec.Request.Cmd)}");
        IExecSession session;
        try
        {
            var launch = await LaunchAsync(exec, size, detached, stop);
            session = await services.Runtime.ExecAsync(exec.ContainerId, launch, CancellationToken.None);
        }
        catch (Exception e) when (e is RuntimeException or InvalidContainerException or ContainerNotFoundException or Images.ImageException or IOException)
        {
            var code = e is RuntimeException { ExitCode: 126 or 127 } runtime ? runtime.ExitCode : NoProgram;
            exec.Ended(code, services.Time.GetUtcNow());
            throw new ContainerStartException(e.Message, code, e);
        }

        exec.Started(session);
        if (detached)
            exec.Release();
        Remember(exec, session);
        return session;
    }

    private void Remember(Exec exec, IExecSession session)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (guard)
            execWatches[exec.Id] = over.Task;
        _ = WatchExecAsync(exec, session, over);
    }

    /// <remarks>A method of its own: of a lock in the finally of an asynchronous method the trimmed binary did not let go.</remarks>
    private void Forget(Exec exec)
    {
        lock (guard)
            execWatches.Remove(exec.Id);
    }

    /// <exception cref="ContainerConflictException">It does not run.</exception>
    internal async Task ResizeExecAsync(string id, int rows, int columns)
    {
        var exec = execs.Find(id);
        if (exec.State.Stage != ExecStage.Running || exec.Session is not { } session)
            throw new ContainerConflictException($"exec {id} is not running");
        await session.ResizeAsync(rows, columns);
    }

    /// <summary>A person left an exec's terminal; its program runs on.</summary>
    internal void DetachedFromExec(Exec exec) => PublishExec(exec, "exec_detach");

    private async Task<ExecLaunch> LaunchAsync(Exec exec, IReadOnlyList<int> size, bool detached, CancellationToken stop)
    {
        var (request, container) = (exec.Request, index.Find(exec.ContainerId).Snapshot.Container);
        var directory = new ContainerDirectory(services.Root, container.Id);
        var layers = await services.Images.AcquireLayersAsync(container.ImageId, container.Id, stop);
        var asked = string.IsNullOrEmpty(request.User) ? container.Config.User ?? "" : request.User;
        var user = ContainerUser.Find([directory.Upper, .. layers.LowerDirs], asked, container.HostConfig.GroupAdd);
        var process = SpecPlan.Process(container.Config, container.HostConfig, user.Ids, services.Facts);
        var hostname = SpecPlan.Hostname(container.Id, container.Config, container.HostConfig, services.Facts);
        return new ExecLaunch
        {
            ExecId = exec.Id,
            Process = ExecProcessPlan.Of(request, process, container.Config, hostname, user.Home),
            Stdin = request.AttachStdin && !detached,
            Stdout = (request.AttachStdout || request.Tty) && !detached,
            Stderr = request.AttachStderr && !detached,
            Console = ConsoleSizes.Of(size) ?? ConsoleSizes.Of(request.ConsoleSize),
        };
    }

    private async Task WatchExecAsync(Exec exec, IExecSession session, TaskCompletionSource over)
    {
        try
        {
            await FollowExecAsync(exec, session);
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            exec.Release(); // the daemon stops; the program runs on
        }
        catch (Exception e)
        {
            over.SetException(e);
        }
        Forget(exec);
        over.TrySetResult();
    }

    /// <summary>Records the end; what is written while nobody listens is read and dropped, so that the program does not hang on it.</summary>
    private async Task FollowExecAsync(Exec exec, IExecSession session)
    {
        await using var held = session;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        var drained = DrainAsync(exec, session, over.Token);
        try
        {
            exec.Ended(await EndAsync(exec, session), services.Time.GetUtcNow());
            PublishExec(exec, "exec_die", ("exitCode", exec.State.ExitCode!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            await exec.Released.WaitAsync(closing.Token);
        }
        finally
        {
            await over.CancelAsync();
            await drained;
        }
    }

    private async Task<int> EndAsync(Exec exec, IExecSession session)
    {
        try
        {
            return (await session.Ended.WaitAsync(closing.Token)).ExitCode;
        }
        catch (RuntimeException e)
        {
            services.Log.ContainerWorkFailed(e, exec.ContainerId, $"watching exec {exec.Id}");
            return 255;
        }
    }

    private static async Task DrainAsync(Exec exec, IExecSession session, CancellationToken stop)
    {
        await exec.Released.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var reads = new[] { session.Output, session.Error }.OfType<Stream>().Select(s => s.CopyToAsync(Stream.Null, stop));
        try
        {
            await Task.WhenAll(reads);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // It ended, and its output with it.
        }
    }

    private void PublishExec(Exec exec, string action, params ReadOnlySpan<(string Name, string Value)> more)
    {
        if (index.TryGet(exec.ContainerId) is not { } life)
            return; // removed with all that was in it
        life.Publish(action, [("execID", exec.Id), .. more]);
    }

    private static void CheckRuns(ContainerSnapshot snapshot, string what)
    {
        var status = ContainerViews.Word(snapshot.State);
        if (status == "paused")
            throw new ContainerConflictException($"Container {snapshot.Id} is paused, unpause the container before {what}");
        if (status == "restarting")
            throw new ContainerConflictException($"Container {snapshot.Id} is restarting, wait until the container is running");
        if (status != "running")
            throw new ContainerConflictException($"container {snapshot.Id} is not running");
    }
}
