using System.Security.Cryptography;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>The stored secrets or configs, and what they are called.</summary>
internal sealed record PayloadKind(string Noun, IEnumerable<StoredPayload> All, Func<string, StoredPayload?> Find)
{
    internal StoredPayload? Named(string name) => All.FirstOrDefault(p => p.Content.Name == name);
}

/// <summary>Secrets and configs: made, labelled anew, removed, and named by services (swarmkit's rules and words).</summary>
internal static class PayloadSteps
{
    internal static PayloadKind Secrets(Draft draft) => new("secret", draft.Secrets.Values, id => draft.Secrets.GetValueOrDefault(id));

    internal static PayloadKind Configs(Draft draft) => new("config", draft.Configs.Values, id => draft.Configs.GetValueOrDefault(id));

    internal static void Create(Draft draft, StoredPayload made, string where)
    {
        var kind = made is Secret ? Secrets(draft) : Configs(draft);
        if (kind.Named(made.Content.Name) is not null)
            draft.Refuse(RefusalKind.Conflict, $"{made.Noun} {made.Content.Name} already exists", where);
        else
            draft.Put(made with { CreatedAt = draft.At });
    }

    /// <summary>Data that is not given stays as it is; other data is refused.</summary>
    internal static void Update(Draft draft, PayloadKind kind, string id, ulong version, PayloadSpec spec)
    {
        if (kind.Find(id) is not { } stored)
            draft.Refuse(RefusalKind.NotFound, $"{kind.Noun} {id} not found");
        else if (stored.Version.Index != version)
            draft.Refuse(RefusalKind.OutOfSequence, $"update out of sequence: {kind.Noun} {stored.Content.Name} is at version {stored.Version.Index}, not {version}");
        else if (spec.Name != stored.Content.Name || OtherData(stored.Content, spec) || !SameTemplating(stored.Content, spec))
            draft.Refuse(RefusalKind.Invalid, "only updates to Labels are allowed");
        else
            draft.Put(Labelled(stored, spec.Labels));
    }

    internal static void Remove(Draft draft, PayloadKind kind, string id)
    {
        if (kind.Find(id) is not { } stored)
        {
            draft.Refuse(RefusalKind.NotFound, $"{kind.Noun} {id} not found");
            return;
        }

        var users = Users(draft, stored);
        if (users.Count > 0)
            draft.Refuse(RefusalKind.Invalid, $"{kind.Noun} '{stored.Content.Name}' is in use by the following service{(users.Count == 1 ? "" : "s")}: {string.Join(", ", users)}");
        else
            draft.Remove(stored);
    }

    /// <summary>The names of the services whose spec refers to it.</summary>
    internal static IReadOnlyList<string> Users(Draft draft, StoredPayload stored) =>
    [
        .. draft.Services.Values.Where(s => !s.PendingDelete && s.Spec.TaskTemplate.ContainerSpec is { } container
                && (stored is Secret ? container.Secrets.Any(r => r.SecretId == stored.Id) : container.Configs.Any(r => r.ConfigId == stored.Id)))
            .Select(s => s.Spec.Name),
    ];

    internal static bool OtherData(PayloadSpec stored, PayloadSpec wanted) =>
        wanted.Data is { } data && !CryptographicOperations.FixedTimeEquals(stored.Data ?? [], data);

    internal static StoredPayload Labelled(StoredPayload stored, IReadOnlyDictionary<string, string> labels) => stored switch
    {
        Secret secret => secret with { Spec = secret.Spec with { Labels = labels } },
        Config config => config with { Spec = config.Spec with { Labels = labels } },
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>A container's references with both name and id; what is not there, or is another one by that name, is refused.</summary>
    internal static ContainerSpec Resolve(Draft draft, ContainerSpec spec, string where)
    {
        if (spec.Secrets.Count + spec.Configs.Count == 0)
            return spec;
        var missing = (Secrets: new List<string>(), Configs: new List<string>());
        var resolved = spec with
        {
            Secrets =
            [
                .. spec.Secrets.Select(r => Find(Secrets(draft), r.SecretId, r.SecretName, missing.Secrets) is { } found
                    ? r with { SecretId = found.Id, SecretName = found.Content.Name }
                    : r),
            ],
            Configs =
            [
                .. spec.Configs.Select(r => Find(Configs(draft), r.ConfigId, r.ConfigName, missing.Configs) is { } found
                    ? r with { ConfigId = found.Id, ConfigName = found.Content.Name }
                    : r),
            ],
        };
        foreach (var (noun, names) in new[] { ("secret", missing.Secrets), ("config", missing.Configs) })
        {
            if (names.Count > 0)
                draft.Refuse(RefusalKind.Invalid, $"{noun}{(names.Count == 1 ? "" : "s")} not found: {string.Join(", ", names)}", where);
        }

        return resolved;
    }

    private static StoredPayload? Find(PayloadKind kind, string id, string name, List<string> missing)
    {
        var found = id.Length > 0 ? kind.Find(id) : kind.Named(name);
        if (found is not null && (name.Length == 0 || found.Content.Name == name))
            return found;
        missing.Add(found is not null ? $"{name} (the id {id} is {kind.Noun} {found.Content.Name}'s)" : name.Length > 0 ? name : id);
        return null;
    }

    private static bool SameTemplating(PayloadSpec stored, PayloadSpec wanted) => wanted.Templating is null || (stored.Templating?.Name ?? "") == wanted.Templating.Name;
}
