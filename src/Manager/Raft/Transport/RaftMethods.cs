using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>The raft service as it is spoken between managers.</summary>
internal static class RaftMethods
{
    /// <summary>The header by which a manager says where it answers, <c>host:port</c>.</summary>
    internal const string AddressHeader = "orch-address";

    private const string Service = "orch.raft.v1.Raft";

    /// <summary>Messages in one direction, as long as the sender lives; nothing is answered, because Raft's own replies travel the other way.</summary>
    internal static readonly RpcMethod<Message, ReadOnlyMemory<byte>> Messages =
        new(RpcKind.ClientStreaming, Service, "Messages", MessageCodec.Instance, BytesCodec.Instance) { MaxMessageBytes = 64 << 20 };
}
