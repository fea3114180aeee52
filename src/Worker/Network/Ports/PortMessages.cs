using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>Daemon to shim: keep these ports of the host from everybody else. All or none.</summary>
/// <param name="Owner">A container's id, or <c>services</c>.</param>
internal sealed record PortHold(string Owner, ImmutableArray<HeldPort> Ports);

/// <summary>A port of the host; 0 asks for any.</summary>
internal sealed record HeldPort(PortProtocol Protocol, IPAddress? HostIp, int Port);

/// <summary>The ports held, chosen numbers filled in, or those in the way.</summary>
internal sealed record PortHeld(ImmutableArray<HeldPort> Ports, ImmutableArray<HeldPort> Taken);

/// <summary>Lets ports of the owner go; without a list, all of them.</summary>
internal sealed record PortRelease(string Owner, ImmutableArray<HeldPort>? Ports);

/// <summary>The whole truth for a shim that may have started anew.</summary>
internal sealed record PortSync(ImmutableArray<PortHold> Holds);
