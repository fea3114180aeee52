using System.Collections.Immutable;
using System.Net;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>What a join asks for, judged. Pure.</summary>
/// <param name="Remotes">The managers to ask, each as written and as dialled.</param>
internal sealed record SwarmJoinPlan(
    ImmutableArray<(string Text, EndPoint Address)> Remotes, JoinToken Token, ClusterEndpoints Endpoints, NodeAvailability Availability)
{
    /// <param name="request">As sent.</param>
    /// <param name="addresses">This host's IPv4 addresses by interface.</param>
    /// <param name="toward">This host's address on the way to another; it is advertised when none is named.</param>
    /// <exception cref="ApiException">Every problem of the request.</exception>
    internal static SwarmJoinPlan Make(
        SwarmJoinRequest request, IReadOnlyList<(string Interface, IPAddress Address)> addresses, Func<EndPoint, IPAddress?> toward)
    {
        var problems = new List<Problem>();
        var remotes = ImmutableArray.CreateBuilder<(string, EndPoint)>();
        foreach (var text in request.RemoteAddrs.SelectMany(a => a.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (ClusterEndpoints.Parse(text) is { } address)
                remotes.Add((text, address));
            else
                problems.Add(new("RemoteAddrs", $"'{text}' is not a manager's address such as 192.0.2.1:2377"));
        }

        if (remotes.Count == 0 && problems.Count == 0)
            problems.Add(new("RemoteAddrs", "at least one manager's address is needed"));
        JoinToken? token = null;
        if (request.JoinToken is null or "")
            problems.Add(new("JoinToken", "a join token is needed: \"orch swarm join-token worker\" on a manager prints it"));
        else if (!JoinToken.TryParse(request.JoinToken, out token))
            problems.Add(new("JoinToken", "this is not a join token: one reads SWMTKN-1-DIGEST-SECRET, as \"orch swarm join-token worker\" prints it on a manager"));
        if (request.DataPathAddr is { Length: > 0 })
            problems.Add(new("DataPathAddr", "there is no data path between hosts yet: leave it out"));
        var availability = SwarmInitPlan.ReadAvailability(request.Availability, problems);
        var endpoints = ClusterEndpoints.Read(
            request.ListenAddr, request.AdvertiseAddr, addresses, remotes.Count > 0 ? toward(remotes[0].Item2) : null, problems);
        return problems.Count > 0 || endpoints is null || token is null
            ? throw new ApiException(400, string.Join("; ", problems), problems)
            : new(remotes.ToImmutable(), token, endpoints, availability);
    }
}
