using Orchestrator.Manager;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Cli.Daemon;

/// <summary>What the cluster tells this node of itself: who manages it, and which role this node has.</summary>
internal sealed partial class SwarmNode
{
    /// <summary>Notes what a session's message says of the node; the member's own loop acts on it.</summary>
    private static void Heard(SwarmMember member, Assignments assignments)
    {
        if (assignments.Role is { } role)
            member.Role = role;
        if (assignments.TrustedRoots is { } roots)
            member.Renewal.Told(roots);
        if (assignments.Role is not null || assignments.Managers is not null)
            member.News.TrySend(true);
        member.FirstHeard.TrySetResult();
    }

    /// <summary>Keeps the managers' addresses on disk and brings the node into the role it has. A failure is tried again.</summary>
    private async Task ObeyAsync(SwarmMember member, CancellationToken stop)
    {
        do
        {
            await _turn.WaitAsync(stop);
            try
            {
                KeepManagers(member);
                if (member.Role == NodeRole.Manager && member.Identity.Worker)
                    await PromoteAsync(member, stop);
                else if (member.Role == NodeRole.Worker && !member.Identity.Worker)
                    await DemoteAsync(member, stop);
                else if (member.Role == NodeRole.Worker && member.Credentials.Current.Role == NodeRole.Manager)
                    await member.Renewal.RenewAsync(stop);
            }
            finally
            {
                Release();
            }
        }
        while (await NewsAsync(member, stop));
    }

    private static async Task<bool> NewsAsync(SwarmMember member, CancellationToken stop)
    {
        if (!await member.News.Reader.WaitToReadAsync(stop))
            return false;
        while (member.News.Reader.TryRead(out _))
        {
            // one look at what is known answers all of them
        }

        return true;
    }

    private void KeepManagers(SwarmMember member)
    {
        var known = member.Dispatcher.Managers;
        if (known.Count == 0 || known.SequenceEqual(member.Identity.Managers))
            return;
        member.Identity = member.Identity with { Managers = known };
        _files.Identity.Write(member.Identity);
    }

    /// <remarks>Certificate as a manager; identity with a number of its own; journal. The manager then asks the leader to admit it, at every start until it votes.</remarks>
    private async Task PromoteAsync(SwarmMember member, CancellationToken stop)
    {
        _log.RoleChanges(member.Identity.NodeId.Value, "manager");
        await member.Renewal.RenewAsync(stop); // also where one is left of an earlier time as a manager: it ended with that
        if (member.Credentials.Current.Role != NodeRole.Manager)
            return; // demoted meanwhile: the session says so too
        _files.DropJournal(); // of an earlier role that ended
        member.Identity = member.Identity with { Worker = false, Joined = true, Member = MemberFiles.DrawNumber() };
        _files.Identity.Write(member.Identity);
        await StartManagerAsync(member, ManagerBirth.Joining, unlockKey: null, stop);
    }

    /// <remarks>Identity; manager; certificate as a worker; journal. The managers that are left have put this one out already.</remarks>
    private async Task DemoteAsync(SwarmMember member, CancellationToken stop)
    {
        _log.RoleChanges(member.Identity.NodeId.Value, "worker");
        member.Identity = member.Identity with { Worker = true, Joined = true, Member = null };
        _files.Identity.Write(member.Identity);
        member.Locked = false;
        if (member.Manager is { } manager)
        {
            member.Manager = null;
            await manager.DisposeAsync();
        }

        _files.DropJournal();
        await member.Renewal.RenewAsync(stop);
    }
}
