using System.Security.Cryptography;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Logs;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Containers;

/// <summary>The containers of this host and their lives. References are full ids, unambiguous id prefixes or names.</summary>
internal sealed partial class ContainerHost(ContainerServices services) : IAsyncDisposable
{
    private readonly ContainerIndex index = new();
    private readonly LogWatch logWatch = new();
    private readonly Lock guard = new();
    private readonly Dictionary<ContainerLife, Task> loops = [];

    /// <summary>Makes a container; a name is invented when none is given.</summary>
    /// <exception cref="InvalidContainerException">The request cannot work; every problem is named.</exception>
    /// <exception cref="ContainerConflictException">The name is in use.</exception>
    /// <exception cref="ImageException">No such image.</exception>
    internal async Task<CreatedContainer> CreateAsync(ContainerCreateRequest request, string? name, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(request.Image))
            throw new InvalidContainerException("Image", "no image is named");
        name = name?.TrimStart('/');
        if (!string.IsNullOrEmpty(name))
            RequestCheck.CheckName(name);
        var image = await services.Images.ResolveAsync(request.Image, stop) ?? throw ImageException.NotFound(request.Image);
        var host = request.HostConfig ?? new HostConfig();
        var config = ImageDefaults.Merge(request, image.Config);
        var problems = new List<Problem>();
        RequestCheck.Check(config, host, services.Facts, problems);
        CapabilityPlan.Of(host.CapAdd, host.CapDrop, problems);
        MountPlan.Of(host, problems);
        var id = IdText.Host(RandomNumberGenerator.GetBytes(32));
        EndpointPlan.Of(host, request.NetworkingConfig, name ?? "", id[..12], await services.Networks.ListNetworksAsync(stop), problems);
        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
        BindSources.Check(host);

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
        };
        try
        {
            // Held from now on, so that the image cannot go away between creation and start.
            await services.Images.AcquireLayersAsync(image.Id, id, stop);
            var directory = new ContainerDirectory(services.Root, id);
            directory.Create();
            directory.Write(container);
        }
        catch
        {
            index.FreeName(name);
            await services.Images.ReleaseAsync(id, CancellationToken.None);
            new ContainerDirectory(services.Root, id).Delete();
            throw;
        }

        Begin(container, new StoredState());
        services.Events.Publish("container", "create", id, new Dictionary<string, string>(config.Labels) { ["image"] = config.Image, ["name"] = name });
        return new CreatedContainer(id, Warnings(image));
    }

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
    /// <param name="volumes">Its anonymous volumes too: there are none yet.</param>
    /// <param name="stop">Cancels the waiting, not the removal.</param>
    /// <exception cref="ContainerConflictException">It runs and <paramref name="force"/> is not given.</exception>
    internal Task RemoveAsync(string reference, bool force, bool volumes, CancellationToken stop) => index.Find(reference).RemoveAsync(force, stop);

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
        return ContainerViews.Inspect(life.Snapshot, new ContainerDirectory(services.Root, life.Id));
    }

    /// <summary>Reads what it wrote. An unknown container throws at the call, not at the first read.</summary>
    internal IAsyncEnumerable<LogRecord> ReadLogsAsync(string reference, LogQuery query, CancellationToken stop)
    {
        var snapshot = index.Find(reference).Snapshot;
        return LogReader.ReadAsync(new ContainerDirectory(services.Root, snapshot.Id).Log, query, logWatch, snapshot.LogEnded, stop);
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
        Task[] running;
        lock (guard)
            running = [.. loops.Values];
        foreach (var life in index.All())
            life.Close();
        await Task.WhenAll(running);
        logWatch.Dispose();
    }

    private ContainerLife Begin(StoredContainer container, StoredState state)
    {
        var life = new ContainerLife(services, container, state, removed =>
        {
            index.Remove(removed);
            lock (guard)
                loops.Remove(removed);
            return ValueTask.CompletedTask;
        });
        index.Add(life);
        lock (guard)
            loops[life] = Task.Run(life.RunAsync); // on the pool: its caller may be a loop with a context of its own
        return life;
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

    private static List<string> Warnings(ImageRecord image)
    {
        var warnings = new List<string>();
        if (image.Config.Volumes is { Count: > 0 } volumes)
            warnings.Add($"the image's volumes ({string.Join(", ", volumes.Keys)}) are part of the container's own layer: volumes come with a later release");
        return warnings;
    }
}
