using System.Diagnostics.CodeAnalysis;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers;

/// <summary>Finds containers by id, unambiguous prefix or name; the one place that gives names away.</summary>
internal sealed class ContainerIndex
{
    private readonly Lock guard = new();
    private readonly Dictionary<string, ContainerLife> byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> idByName = new(StringComparer.Ordinal);

    /// <summary>Keeps a name for a container that is being made.</summary>
    /// <exception cref="ContainerConflictException">Another one has it.</exception>
    internal void Reserve(string name, string id)
    {
        if (!TryReserve(name, id, out var owner))
        {
            throw new ContainerConflictException(
                $"Conflict. The container name \"/{name}\" is already in use by container \"{owner}\". You have to remove (or rename) that container to be able to reuse that name.");
        }
    }

    internal bool TryReserve(string name, string id, [NotNullWhen(false)] out string? owner)
    {
        lock (guard)
        {
            if (idByName.TryGetValue(name, out owner))
                return false;
            idByName[name] = id;
            return true;
        }
    }

    internal void FreeName(string name)
    {
        lock (guard)
            idByName.Remove(name);
    }

    internal void Add(ContainerLife life)
    {
        lock (guard)
            byId[life.Id] = life;
    }

    internal void Remove(ContainerLife life)
    {
        lock (guard)
        {
            byId.Remove(life.Id);
            idByName.Remove(life.Snapshot.Container.Name);
        }
    }

    internal ContainerLife? TryGet(string id)
    {
        lock (guard)
            return byId.GetValueOrDefault(id);
    }

    /// <exception cref="ContainerNotFoundException">Nothing fits.</exception>
    /// <exception cref="InvalidContainerException">Several ids begin so.</exception>
    internal ContainerLife Find(string reference) => TryFind(reference) ?? throw new ContainerNotFoundException(reference);

    /// <exception cref="InvalidContainerException">Several ids begin so.</exception>
    internal ContainerLife? TryFind(string reference)
    {
        var name = reference.StartsWith('/') ? reference[1..] : reference;
        lock (guard)
        {
            if (byId.TryGetValue(reference, out var exact))
                return exact;
            if (idByName.TryGetValue(name, out var id) && byId.TryGetValue(id, out var named))
                return named;
            if (reference.Length is 0 or > 64 || !reference.All(char.IsAsciiHexDigitLower))
                return null;
            var fitting = byId.Where(e => e.Key.StartsWith(reference, StringComparison.Ordinal)).Select(e => e.Value).Take(2).ToList();
            return fitting.Count < 2
                ? fitting.FirstOrDefault()
                : throw new InvalidContainerException([new Problem("id", $"Multiple IDs found with provided prefix: {reference}")]);
        }
    }

    internal List<ContainerLife> All()
    {
        lock (guard)
            return [.. byId.Values];
    }
}
