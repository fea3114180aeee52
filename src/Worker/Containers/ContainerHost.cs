using System.Security.Cryptography;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Logs;
using Orchestrator.Worker.Containers.Payloads;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Volumes;

namespace Orchestrator.Worker.Containers;

/// <summary>The containers of this host and their lives. References are full ids, unambiguous id prefixes or names.</summary>
internal sealed partial class ContainerHost(ContainerServices services) : IAsyncDisposable
{
    private readonly ContainerIndex index = new();
    private readonly ContainerVolumes volumes = new(services.Volumes, services.Log);
    private readonly LogWatch logWatch = new();
    private readonly Lock guard = new();
    private readonly Dictionary<ContainerLife, Task> loops = [];

    /// <summary>Makes a container; a name is invented when none is given.</summary>
    /// <exception cref="InvalidContainerException">The request cannot work; every problem is named.</exception>
    /// <exception cref="ContainerConflictException">The name is in use.</exception>
    /// <exception cref="ImageException">No such image.</exception>
    internal Task<CreatedContainer> CreateAsync(ContainerCreateRequest request, string? name, CancellationToken stop) =>
        CreateAsync(request, name, ContainerFiles.None, stop);

    /// <summary>The same for a task's container, which gets files that lie on no disk.</summary>
    internal async Task<CreatedContainer> CreateAsync(ContainerCreateRequest request, string? name, ContainerFiles files, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(request.Image))
            throw new InvalidContainerException("Image", "no image is named");
        name = name?.TrimStart('/');
        if (!string.IsNullOrEmpty(name))
            RequestCheck.CheckName(name);
        var image = await services.Images.ResolveAsync(request.Image, stop) ?? throw ImageException.NotFound(request.Image);
        var host = LogPlan.Fill(request.HostConfig ?? new HostConfig(), services.Facts.DefaultLog);
        var config = ImageDefaults.Merge(request, image.Config);
        var problems = new List<Problem>();
        RequestCheck.Check(config, host, services.Facts, problems);
        CapabilityPlan.Of(host.CapAdd, host.CapDrop, problems);
        var mounts = MountPlan.Of(host, problems);
        var id = IdText.Host(RandomNumberGenerator.GetBytes(32));
        foreach (var (field, reference) in NamespaceModes.Of(host).Joined().Where(j => TryFind(j.Reference) is null))
            problems.Add(new Problem(field, $"No such container: {reference}"));
        var lent = Lent(host, problems);
        var endpoints = EndpointPlan.Of(PublishPlan.Of(config, host), request.NetworkingConfig, name ?? "", id[..12], await services.Networks.ListNetworksAsync(stop), problems);
        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
        BindSources.Check(host);
        BlockDevices.Find(host);
        var warnings = new List<string>(endpoints.Warnings);
        host = LimitPlan.Adapt(host, services.Facts.Limits, warnings);

        if (string.IsNullOrEmpty(name))
            name = Invent(id);
        else
            index.Reserve(name, id);
        var container = new StoredContainer
        {
            Id = id,
            Name = name,
            Created = services.Time.GetUtcNow(),
            ImageId = image.Id,
            Config = config,
            HostConfig = host,
            Networking = request.NetworkingConfig,
            Remap = services.Facts.RemapOf(NamespaceModes.Of(host)),
            MemoryFiles = files.Files.IsEmpty ? null : files.Targets,
            Volumes = VolumePlan.Of(mounts, config.Volumes.Keys, lent, VolumeStore.InventName, services.Volumes.MountpointOf),
        };
        try
        {
            // Held from now on, so that the image cannot go away between creation and start.
            var layers = await services.Images.AcquireLayersAsync(image.Id, id, stop);
            var directory = new ContainerDirectory(services.Root, id);
            directory.Create();
            directory.Write(container); // before its volumes: a crash in between leaves none that nobody has
            await volumes.HoldAsync(container, layers.LowerDirs, stop);
        }
        catch
        {
            index.FreeName(name);
            await volumes.ReleaseAsync(container, removeAnonymous: true);
            await services.Images.ReleaseAsync(id, CancellationToken.None);
            new ContainerDirectory(services.Root, id).Delete();
            throw;
        }

        Begin(container, new StoredState()).GiveFiles(files);
        services.Events.Publish("container", "create", id, new Dictionary<string, string>(config.Labels) { ["image"] = config.Image, ["name"] = name });
        return new CreatedContainer(id, warnings);
    }

    /// <summary>Gives a container of an earlier daemon its files again: without them it can't be started.</summary>
    internal void GiveFiles(string reference, ContainerFiles files) => index.TryFind(reference)?.GiveFiles(files);

    /// <summary>Starts it; false when it runs already.</summary>
    /// <exception cref="ContainerStartException">It could not be started.</exception>
    internal Task<bool> StartAsync(string reference, CancellationToken stop) => index.Find(reference).StartAsync(stop);

    /// <summary>Sends the stop signal, waits for the grace, kills; false when it did not run.</summary>
    /// <param name="reference">The container.</param>
    /// <param name="grace">Null: the container's own, else ten seconds; negative: for ever.</param>
    /// <param name="signal">Null: the container's or image's, else SIGTERM. A name with or without SIG, or a number.</param>
    /// <param name="stop">Cancels the waiting, not the stop.</param>
    internal Task<bool> StopAsync(string reference, TimeSpan? grace, string? signal, CancellationToken stop) =>
        index.Find(reference).StopAsync(grace, signal, stop);

    /// <exception cref="ContainerConflictException">It does not run.</exception>
    internal Task KillAsync(string reference, string? signal, CancellationToken stop) => index.Find(reference).KillAsync(signal, stop);

    /// <summary>Stops it when it runs, then starts it.</summary>
    internal async Task RestartAsync(string reference, TimeSpan? grace, string? signal, CancellationToken stop)
    {
        var life = index.Find(reference);
        await life.StopAsync(grace, signal, stop);
        await life.StartAsync(stop);
        var container = life.Snapshot.Container;
        services.Events.Publish(
            "container", "restart", life.Id,
            new Dictionary<string, string>(container.Config.Labels) { ["image"] = container.Config.Image, ["name"] = container.Name });
    }

    /// <summary>Removes it and everything it wrote.</summary>
    /// <param name="reference">The container.</param>
    /// <param name="force">Kills it when it runs.</param>
    /// <param name="volumes">Its anonymous volumes too, unless another container has them.</param>
    /// <param name="stop">Cancels the waiting, not the removal.</param>
    /// <exception cref="ContainerConflictException">It runs and <paramref name="force"/> is not given.</exception>
    internal Task RemoveAsync(string reference, bool force, bool volumes, CancellationToken stop) => index.Find(reference).RemoveAsync(force, volumes, stop);

    internal async Task RenameAsync(string reference, string name, CancellationToken stop)
    {
        var life = index.Find(reference);
        name = name.TrimStart('/');
        RequestCheck.CheckName(name);
        var before = life.Snapshot.Container.Name;
        if (before == name)
            throw new InvalidContainerException("name", "Renaming a container with the same name as its current name");
        index.Reserve(name, life.Id);
        try
        {
            await life.RenameAsync(name, stop);
        }
        catch
        {
            index.FreeName(name);
            throw;
        }

        index.FreeName(before);
    }

    /// <summary>Waits and answers the exit code. An unknown container throws before the first await.</summary>
    internal Task<ContainerWaitReply> WaitAsync(string reference, WaitCondition condition, CancellationToken stop) =>
        index.Find(reference).WaitAsync(condition, stop);

    /// <summary>Completes when the addresses of a container that ended are free.</summary>
    internal Task SettledAsync(string reference, CancellationToken stop) => index.Find(reference).SettledAsync(stop);

    /// <summary>Newest first.</summary>
    /// <exception cref="InvalidContainerException">A filter is not understood.</exception>
    internal IReadOnlyList<ContainerSummary> List(ContainerQuery query)
    {
        var now = services.Time.GetUtcNow();
        return [.. ContainerFilter.Apply(query, Snapshots()).Select(s => ContainerViews.Summary(s, now))];
    }

    internal ContainerInspect Inspect(string reference)
    {
        var life = index.Find(reference);
        return ContainerViews.Inspect(life.Snapshot, new ContainerDirectory(services.Root, life.Id)) with { ExecIds = execs.Of(life.Id) };
    }

    /// <summary>Reads what it wrote. An unknown container throws at the call, not at the first read.</summary>
    internal IAsyncEnumerable<LogRecord> ReadLogsAsync(string reference, LogQuery query, CancellationToken stop)
    {
        var snapshot = index.Find(reference).Snapshot;
        var target = LogPlan.Of(new ContainerDirectory(services.Root, snapshot.Id), snapshot.Container);
        return target.Format == LogFormat.None
            ? throw new LogsNotKeptException()
            : LogReader.ReadAsync(target.Path, query, logWatch, snapshot.LogEnded, stop, LogCodec.Of(target.Format));
    }

    /// <summary>True while a container with this id runs: what image removal asks.</summary>
    internal bool IsRunning(string id) => index.TryGet(id)?.Snapshot.IsRunning ?? false;

    /// <summary>The container as it is now; null when there is none.</summary>
    internal ContainerSnapshot? TryFind(string reference) => index.TryFind(reference)?.Snapshot;

    /// <summary>Every container as it is now.</summary>
    internal IReadOnlyList<ContainerSnapshot> Snapshots() => [.. index.All().Select(l => l.Snapshot)];

    /// <summary>Stops the owners' loops. Containers run on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (closing.IsCancellationRequested)
            return;
        Task[] running;
        lock (guard)
            running = [.. loops.Values, .. execWatches.Values];
        await closing.CancelAsync();
        foreach (var life in index.All())
            life.Close();
        await Task.WhenAll(running);
        execs.Dispose();
        logWatch.Dispose();
    }

    private ContainerLife Begin(StoredContainer container, StoredState state)
    {
        var life = new ContainerLife(services, container, state, removed =>
        {
            index.Remove(removed);
            execs.Forget(removed.Id);
            lock (guard)
                loops.Remove(removed);
            return ValueTask.CompletedTask;
        }, TryFind);
        index.Add(life);
        lock (guard)
            loops[life] = Task.Run(life.RunAsync); // on the pool: its caller may be a loop with a context of its own
        return life;
    }

    private List<LentMounts> Lent(HostConfig host, List<Problem> problems)
    {
        var lent = new List<LentMounts>();
        for (var i = 0; i < host.VolumesFrom.Count; i++)
        {
            var where = $"HostConfig.VolumesFrom[{i}]";
            if (VolumePlan.ParseFrom(host.VolumesFrom[i]) is not { } from)
                problems.Add(new Problem(where, $"invalid volumes-from '{host.VolumesFrom[i]}': write CONTAINER, CONTAINER:ro or CONTAINER:rw"));
            else if (index.TryFind(from.Container) is { } lender)
                lent.Add(new LentMounts(VolumePlan.Lent(lender.Snapshot.Container), from.ReadOnly));
            else
                problems.Add(new Problem(where, $"No such container: {from.Container}"));
        }

        return lent;
    }

    private string Invent(string id)
    {
        for (var attempt = 0; ; attempt++)
        {
            var name = NamePlan.Of(RandomNumberGenerator.GetInt32(int.MaxValue), attempt / 4);
            if (index.TryReserve(name, id, out _))
                return name;
        }
    }
}
