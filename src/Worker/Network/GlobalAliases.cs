global using ForwardedPorts = System.Collections.Immutable.ImmutableSortedDictionary<
    Orchestrator.Worker.Network.Plan.HostPort,
    System.Collections.Immutable.ImmutableArray<Orchestrator.Worker.Network.Plan.PortTarget>>;
