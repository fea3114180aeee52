namespace Orchestrator.Worker.Containers.Execs;

/// <summary>The execs of this host by id. One that ended is forgotten some minutes later, and all of a container's with the container.</summary>
internal sealed class ExecRegistry : IDisposable
{
    /// <summary>As long as Docker, at least, remembers an exec that ended.</summary>
    internal static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly Lock guard = new();
    private readonly Dictionary<string, Exec> byId = new(StringComparer.Ordinal);
    private readonly TimeProvider time;
    private readonly ITimer sweeper;

    internal ExecRegistry(TimeProvider time)
    {
        this.time = time;
        sweeper = time.CreateTimer(_ => Sweep(), null, Memory, Memory);
    }

    internal void Add(Exec exec)
    {
        lock (guard)
            byId[exec.Id] = exec;
    }

    internal bool Has(string id)
    {
        lock (guard)
            return byId.ContainsKey(id);
    }

    /// <exception cref="ExecNotFoundException">There is none, or it was forgotten.</exception>
    internal Exec Find(string id)
    {
        lock (guard)
            return byId.TryGetValue(id, out var exec) ? exec : throw new ExecNotFoundException(id);
    }

    /// <summary>What inspect shows: those that were not started or run; null for none.</summary>
    internal IReadOnlyList<string>? Of(string containerId)
    {
        lock (guard)
        {
            var own = byId.Values.Where(e => e.ContainerId == containerId && e.State.Stage != ExecStage.Ended).Select(e => e.Id).Order(StringComparer.Ordinal).ToList();
            return own.Count == 0 ? null : own;
        }
    }

    internal void Forget(string containerId)
    {
        lock (guard)
        {
            foreach (var exec in byId.Values.Where(e => e.ContainerId == containerId).ToList())
                byId.Remove(exec.Id);
        }
    }

    public void Dispose() => sweeper.Dispose();

    private void Sweep()
    {
        var until = time.GetUtcNow() - Memory;
        lock (guard)
        {
            foreach (var exec in byId.Values.Where(e => e.State.EndedAt <= until).ToList())
                byId.Remove(exec.Id);
        }
    }
}
