using System.Text.Json.Serialization;

using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Worker.Network.State;

/// <summary>The room's files and its messages to the shim.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(IPAddressConverter), typeof(IPNetworkConverter), typeof(PhysicalAddressConverter)])]
[JsonSerializable(typeof(NetworksFile))]
[JsonSerializable(typeof(SandboxFile))]
[JsonSerializable(typeof(ServiceTable))]
[JsonSerializable(typeof(DnsListen))]
[JsonSerializable(typeof(DnsListening))]
[JsonSerializable(typeof(DnsForget))]
[JsonSerializable(typeof(DnsTable))]
[JsonSerializable(typeof(DnsSync))]
[JsonSerializable(typeof(PortHold))]
[JsonSerializable(typeof(PortHeld))]
[JsonSerializable(typeof(PortRelease))]
[JsonSerializable(typeof(PortSync))]
internal sealed partial class NetworkJson : JsonSerializerContext;
