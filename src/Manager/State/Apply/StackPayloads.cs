using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>The secrets and configs of a stack. Their data can't change under the services that use it: another content needs another name.</summary>
internal static class StackPayloads
{
    internal static StackChange Put(Draft draft, string stack, StoredPayload wanted)
    {
        var (noun, name) = (wanted.Noun, wanted.Content.Name);
        var where = $"{noun}s.{name}";
        var kind = wanted is Secret ? PayloadSteps.Secrets(draft) : PayloadSteps.Configs(draft);
        if (kind.Named(name) is not { } existing)
        {
            if (wanted.Content.Data is null)
                draft.Refuse(RefusalKind.NotFound, $"{noun} {name} not found, and the stack gives no data to make it from", where);
            else
                PayloadSteps.Create(draft, wanted, where);
            return new(noun, name, wanted.Id, "created");
        }

        if (existing.Id == wanted.Id || existing.Version == draft.Version)
            draft.Refuse(RefusalKind.Invalid, $"{noun} {name} is named twice in stack {stack}", where);
        else if (!StackSteps.InStack(existing.Content.Labels, stack))
            draft.Refuse(RefusalKind.Conflict, $"{noun} {name} exists and is not part of stack {stack}", where);
        else if (PayloadSteps.OtherData(existing.Content, wanted.Content))
            draft.Refuse(RefusalKind.Invalid, Changed(noun, name, "data"), where);
        else if ((existing.Content.Templating?.Name ?? "") != (wanted.Content.Templating?.Name ?? ""))
            draft.Refuse(RefusalKind.Invalid, Changed(noun, name, "template driver"), where);
        if (Same(existing.Content.Labels, wanted.Content.Labels))
            return new(noun, name, existing.Id, "unchanged");
        draft.Put(PayloadSteps.Labelled(existing, wanted.Content.Labels));
        return new(noun, name, existing.Id, "updated");
    }

    /// <summary>What the stack has no more goes; one that a service outside of the stack uses stays.</summary>
    internal static IReadOnlyList<StackChange> Prune(Draft draft, DeployStack command)
    {
        var kept = command.Spec.Secrets.Select(s => ("secret", s.Name)).Concat(command.Spec.Configs.Select(c => ("config", c.Name))).ToHashSet();
        List<StoredPayload> gone =
        [
            .. draft.Secrets.Values.Concat<StoredPayload>(draft.Configs.Values)
                .Where(p => StackSteps.InStack(p.Content.Labels, command.Name) && !kept.Contains((p.Noun, p.Content.Name)) && PayloadSteps.Users(draft, p).Count == 0),
        ];
        foreach (var payload in gone)
            draft.Remove(payload);
        return [.. gone.Select(p => new StackChange(p.Noun, p.Content.Name, p.Id, "removed"))];
    }

    private static string Changed(string noun, string name, string what) =>
        $"{noun} {name} exists with other {what}: only updates to Labels are allowed, so give the new one another name "
        + $"('name: {name}_v2' under {noun}s); the services then move over to it, and --prune removes the old one";

    private static bool Same(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        a.Count == b.Count && a.All(l => b.TryGetValue(l.Key, out var value) && value == l.Value);
}
