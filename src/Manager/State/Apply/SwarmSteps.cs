using System.Security.Cryptography;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

internal static class SwarmSteps
{
    internal const string IngressName = "ingress";

    internal static void Init(Draft draft, InitSwarm command)
    {
        if (draft.Swarm is not null)
        {
            draft.Refuse(RefusalKind.Conflict, "this node is already part of a swarm; use \"swarm leave\" to leave it first");
            return;
        }

        draft.Put(command.Swarm with { CreatedAt = draft.At });
        draft.Put(command.FirstNode with { CreatedAt = draft.At });
        if (command.Security is { } security)
            draft.Put(security);
        draft.Put(new Network
        {
            // Made from the cluster's id, so that Apply needs no randomness.
            Id = new(IdText.Cluster(SHA256.HashData(Encoding.UTF8.GetBytes(command.Swarm.Id + "/" + IngressName)))),
            Name = IngressName,
            Created = draft.At,
            Ingress = true,
        });
    }

    internal static void Update(Draft draft, UpdateSwarm command)
    {
        var swarm = draft.Swarm!;
        if (swarm.Version.Index != command.Version)
            draft.Refuse(RefusalKind.OutOfSequence, $"update out of sequence: the swarm is at version {swarm.Version.Index}, not {command.Version}");
        else
            draft.Put(swarm with { Spec = command.Spec });
        if (command.Security is { } security)
            SetSecurity(draft, security);
    }

    internal static void SetSecurity(Draft draft, SetSecurity command)
    {
        var at = draft.Security?.Version.Index ?? 0;
        if (at != command.Version)
            draft.Refuse(RefusalKind.OutOfSequence, $"update out of sequence: the swarm's security is at version {at}, not {command.Version}");
        else
            draft.Put(command.Security);
    }
}
