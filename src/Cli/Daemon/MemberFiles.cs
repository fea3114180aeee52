using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Security;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Daemon;

/// <summary>What a member keeps on disk: identity, credentials and, where a manager lives, its journal.</summary>
internal sealed class MemberFiles
{
    private readonly string _dataRoot;
    private readonly ILogger _log;

    internal MemberFiles(string dataRoot, ILogger log)
    {
        (_dataRoot, _log) = (dataRoot, log);
        Identity = new(dataRoot);
        Credentials = new(Identity.Certificates);
    }

    internal NodeIdentityFile Identity { get; }

    internal NodeCredentialsFile Credentials { get; }

    internal bool HasJournal => ManagerHost.Exists(_dataRoot);

    internal static ulong DrawNumber() => MemberNumber.Draw(RandomNumberGenerator.Fill);

    /// <summary>Null: there are none.</summary>
    /// <exception cref="DaemonException">They are damaged.</exception>
    internal NodeCredentials? ReadCredentials()
    {
        try
        {
            return Credentials.Read();
        }
        catch (CryptographicException damaged)
        {
            throw new DaemonException(damaged.Message, damaged);
        }
    }

    /// <summary>Removes everything: the identity first.</summary>
    internal void Forget()
    {
        Identity.Delete();
        DropJournal();
    }

    /// <summary>The number that goes with it is not used again.</summary>
    internal void DropJournal()
    {
        if (!HasJournal)
            return;
        Directory.Delete(ManagerHost.JournalDirectory(_dataRoot), recursive: true);
        FileOps.SyncDirectory(_dataRoot);
    }

    /// <summary>
    /// A manager whose journal is not there, because it had not begun one yet or somebody removed a damaged one: it is another member from now
    /// on, which the leader takes in for the former.
    /// </summary>
    /// <exception cref="DaemonException">Nobody is known who could tell it the state.</exception>
    internal NodeIdentity BornAgain(NodeIdentity identity)
    {
        if (!identity.Managers.Any(m => m.NodeId != identity.NodeId && m.Address != identity.ClusterAddr))
        {
            throw new DaemonException(
                $"the journal of this manager is missing: there is no {ManagerHost.JournalDirectory(_dataRoot)}, and no other manager is known that has the swarm's state; put it back, or remove {Identity.Directory} and begin a new swarm");
        }

        var again = identity with { Joined = true, Member = DrawNumber() };
        Identity.Write(again);
        _log.BornAgain(identity.NodeId.Value);
        return again;
    }
}
