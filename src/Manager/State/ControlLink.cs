using System.Text.Json;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.State;

/// <summary>Other managers' logs by the control service.</summary>
/// <param name="dial">The manager's control service; null when its address is not known.</param>
internal sealed class ControlLink(Func<PeerId, IControl?> dial) : ILeaderLink
{
    public async Task<Outcome> ProposeAsync(PeerId leader, Command command, CancellationToken stop)
    {
        var control = dial(leader) ?? throw new LeaderUnreachableException($"where manager {leader} answers is not known");
        try
        {
            var reply = await control.ProposeAsync(new() { Command = Write(command) }, stop);
            return JsonSerializer.Deserialize(reply.Outcome, StateJson.Outcome) ?? throw new LeaderUnreachableException("the leader's answer is empty");
        }
        catch (RpcException lost)
        {
            throw new LeaderUnreachableException(lost.Detail, lost);
        }
    }

    internal static byte[] Write(Command command) => JsonSerializer.SerializeToUtf8Bytes(command, StateJson.Command);

    /// <exception cref="JsonException">The bytes are no command of this version.</exception>
    internal static Command Read(byte[] command) => JsonSerializer.Deserialize(command, StateJson.Command) ?? throw new JsonException("there is no command");
}
