using System.Security.Cryptography;
using System.Text;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Events;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Api;

/// <summary>This host's own networks in the API's words.</summary>
internal sealed class HostNetworkList(INetworks networks, ContainerHost containers, EngineEvents events, string dataRoot, TimeProvider time) : IHostNetworks
{
    private readonly HostNetworkNotes _notes = new(Path.Combine(dataRoot, "network", "notes.json"));

    public async Task<IReadOnlyList<Shared.Model.Network>> ListAsync(CancellationToken stop)
    {
        var standing = await networks.ListNetworksAsync(stop);
        return [.. standing.Where(n => IsLocal(n.Id)).Select(Shown), BuiltIn("host", "host"), BuiltIn("none", "null")];
    }

    public async Task<IReadOnlyDictionary<string, NetworkContainer>> ContainersAsync(NetworkId id, CancellationToken stop)
    {
        var sandboxes = await networks.ListSandboxesAsync(stop);
        var found = new Dictionary<string, NetworkContainer>(StringComparer.Ordinal);
        if (!sandboxes.Values.Any(s => s.Endpoints.Any(e => e.NetworkId == id.Value)))
            return found;
        var names = containers.List(new ContainerQuery { All = true }).ToDictionary(c => c.Id, c => c.Names is [var name, ..] ? name.TrimStart('/') : "", StringComparer.Ordinal);
        foreach (var (container, sandbox) in sandboxes)
        {
            if (sandbox.Endpoints.FirstOrDefault(e => e.NetworkId == id.Value) is not { } endpoint)
                continue;
            found[container] = new NetworkContainer
            {
                Name = names.GetValueOrDefault(container, ""),
                EndpointId = Hash($"{id}/{container}"),
                MacAddress = string.Join(':', endpoint.Mac.GetAddressBytes().Select(b => b.ToString("x2"))),
                Ipv4Address = $"{endpoint.Address}/{endpoint.PrefixLength}",
            };
        }

        return found;
    }

    public async Task<NetworkId> CreateAsync(NetworkCreateRequest request, CancellationToken stop)
    {
        var problems = new List<Problem>();
        var network = HostNetworkRequest.Plan(IdText.Host(RandomNumberGenerator.GetBytes(32)), request, problems);
        if (problems.Count > 0)
            throw new ApiException(400, string.Join("; ", problems), problems);
        await networks.EnsureNetworkAsync(network, stop);
        _notes.Set(network.Id, new HostNetworkNote
        {
            Created = time.GetUtcNow(),
            Attachable = request.Attachable,
            Labels = request.Labels.ToDictionary(StringComparer.Ordinal),
            Options = request.Options.ToDictionary(StringComparer.Ordinal),
        });

        Tell("create", network.Id, network.Name);
        return new NetworkId(network.Id);
    }

    public async Task RemoveAsync(NetworkId id, CancellationToken stop)
    {
        var name = (await networks.ListNetworksAsync(stop)).FirstOrDefault(n => n.Id == id.Value)?.Name ?? id.Value;
        try
        {
            await networks.RemoveNetworkAsync(id.Value, stop);
            _notes.Remove(id.Value);
        }
        catch (NetworkException refused)
        {
            throw new ApiException(403, refused.Message, inner: refused);
        }

        Tell("destroy", id.Value, name);
    }

    /// <summary>Ids of this host's own networks are 64 hex digits; the cluster's are 25 characters.</summary>
    private static bool IsLocal(string id) => id.Length == 64;

    private void Tell(string action, string id, string name) =>
        events.Publish("network", action, id, new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = name, ["type"] = "bridge" });

    private Shared.Model.Network Shown(HostNetwork network)
    {
        var note = _notes.Of(network.Id);
        return new Shared.Model.Network
        {
            Name = network.Name,
            Id = new NetworkId(network.Id),
            Created = note?.Created ?? default,
            Scope = "local",
            Driver = network.Driver,
            Internal = network.Internal,
            Attachable = note?.Attachable ?? false,
            Ipam = new Ipam
            {
                Config = [.. network.Subnets.Select(s => new IpamConfig { Subnet = s.Prefix.ToString(), Gateway = s.Gateway.ToString() })],
            },
            Options = note?.Options ?? [],
            Labels = note?.Labels ?? [],
        };
    }

    private Shared.Model.Network BuiltIn(string name, string driver) => new()
    {
        Name = name,
        Id = new NetworkId(Hash($"{InstanceId.Of(dataRoot)}/{name}")),
        Scope = "local",
        Driver = driver,
        EnableIpv4 = false,
    };

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
