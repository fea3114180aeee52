namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges what an operator asks of a new cluster: every problem at once.</summary>
public static class SwarmValidation
{
    public static IReadOnlyList<Problem> Check(Swarm swarm)
    {
        var found = new Findings();
        found.When(swarm.SubnetSize is < 8 or > 29, "SubnetSize", $"subnet size {swarm.SubnetSize} is outside of 8 to 29");
        var pools = new List<Ipv4Subnet>();
        foreach (var text in swarm.DefaultAddrPool)
        {
            if (Ipv4Subnet.Parse(text) is not { } pool)
            {
                found.Add("DefaultAddrPool", $"address pool '{text}' is not an IPv4 network such as 10.0.0.0/8");
                continue;
            }

            found.When(pool.PrefixLength > swarm.SubnetSize, "DefaultAddrPool", $"address pool {pool} is smaller than one subnet of /{swarm.SubnetSize}");
            foreach (var other in pools.Where(p => p.Overlaps(pool)))
                found.Add("DefaultAddrPool", $"address pools {other} and {pool} overlap");
            pools.Add(pool);
        }

        found.When(swarm.DataPathPort is < 1024 or > 49151, "DataPathPort", $"data path port {swarm.DataPathPort} is outside of 1024 to 49151");
        Spec(swarm.Spec, "Spec.", found);
        found.When(
            swarm.Spec.CaConfig.SigningCaCert is { Length: > 0 } || swarm.Spec.CaConfig.SigningCaKey is { Length: > 0 },
            "Spec.CAConfig.SigningCACert",
            "a cluster begins with a CA that it makes; go over to one of your own afterwards with \"orch swarm ca --rotate --ca-cert FILE --ca-key FILE\"");
        return found.Problems;
    }

    /// <summary>What an update may set.</summary>
    public static IReadOnlyList<Problem> CheckSpec(SwarmSpec spec)
    {
        var found = new Findings();
        Spec(spec, "", found);
        return found.Problems;
    }

    private static void Spec(SwarmSpec spec, string path, Findings found)
    {
        found.When(spec.Dispatcher.HeartbeatPeriod < TimeSpan.FromMilliseconds(100), path + "Dispatcher.HeartbeatPeriod", "the heartbeat period must be at least 100ms");
        found.When(spec.CaConfig.NodeCertExpiry < TimeSpan.FromHours(1), path + "CAConfig.NodeCertExpiry", "node certificates must be valid for at least 1h");
        found.When(
            spec.CaConfig.ExternalCas.Count > 0, path + "CAConfig.ExternalCAs",
            "an external CA is not supported: managers issue their nodes' certificates themselves; to use a root of your own, give it and its key with \"orch swarm ca --rotate --ca-cert FILE --ca-key FILE\"");
    }
}
