using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>One line of a snapshot; exactly one member is set.</summary>
internal sealed record SnapshotRecord
{
    public SnapshotHeader? Header { get; init; }
    public Swarm? Swarm { get; init; }
    public ClusterSecurity? Security { get; init; }
    public Revocation? Revocation { get; init; }
    public Node? Node { get; init; }
    public Network? Network { get; init; }
    public Network? LeavingNetwork { get; init; }
    public Secret? Secret { get; init; }
    public Config? Config { get; init; }
    public TaskSpec? Spec { get; init; }
    public Service? Service { get; init; }
    public StoredTask? Task { get; init; }
    public StoredRequest? Request { get; init; }
}

internal sealed record SnapshotHeader(int Format, ulong Index);

/// <param name="Task">The task with an empty spec.</param>
/// <param name="Spec">The digest of its spec, which stands in an earlier record or in its service's.</param>
internal sealed record StoredTask(ServiceTask Task, string Spec);

internal sealed record StoredRequest(string Id, Outcome Outcome);

/// <summary>The state as a stream of JSON lines: header, objects, and every distinct task spec once.</summary>
internal static class StateSnapshot
{
    private const int Format = 1;
    private static readonly TaskSpec NoSpec = new();

    internal static IEnumerable<byte[]> Lines(ClusterState state)
    {
        yield return Line(new() { Header = new(Format, state.Index) });
        if (state.Swarm is { } swarm)
            yield return Line(new() { Swarm = swarm });
        if (state.Security is { } security)
            yield return Line(new() { Security = security });
        foreach (var revocation in state.Revocations.Values)
            yield return Line(new() { Revocation = revocation });
        foreach (var node in state.Nodes.Values)
            yield return Line(new() { Node = node });
        foreach (var network in state.Networks.Values)
            yield return Line(new() { Network = network });
        foreach (var network in state.LeavingNetworks.Values)
            yield return Line(new() { LeavingNetwork = network });
        foreach (var secret in state.Secrets.Values)
            yield return Line(new() { Secret = secret });
        foreach (var config in state.Configs.Values)
            yield return Line(new() { Config = config });
        foreach (var service in state.Services.Values)
            yield return Line(new() { Service = service });

        var digests = new Dictionary<TaskSpec, string>(ReferenceEqualityComparer.Instance);
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var task in state.Tasks.Values)
        {
            if (!digests.TryGetValue(task.Spec, out var digest))
                digests[task.Spec] = digest = Digest(task.Spec);
            if (written.Add(digest))
                yield return Line(new() { Spec = task.Spec });
            yield return Line(new() { Task = new(task with { Spec = NoSpec }, digest) });
        }

        foreach (var id in state.Requests.Oldest)
            yield return Line(new() { Request = new(id, state.Requests.Outcomes[id]) });
    }

    /// <exception cref="JsonException">The stream is not a snapshot of this format.</exception>
    internal static async Task<ClusterState> ReadAsync(Stream source, CancellationToken stop)
    {
        using var reader = new StreamReader(source, Encoding.UTF8, leaveOpen: true);
        var loading = new Loading();
        while (await reader.ReadLineAsync(stop) is { } line)
            loading.Take(JsonSerializer.Deserialize(line, StateJson.Record) ?? throw new JsonException("an empty snapshot record"));
        return loading.Finish();
    }

    /// <summary>SHA-256 of the snapshot: equal for equal states, on every manager.</summary>
    internal static string Digest(ClusterState state)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var line in Lines(state))
            hash.AppendData(line);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Digest(TaskSpec spec) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec, StateJson.TaskSpec)));

    private static byte[] Line(SnapshotRecord record) => [.. JsonSerializer.SerializeToUtf8Bytes(record, StateJson.Record), (byte)'\n'];

    private sealed class Loading
    {
        private readonly Dictionary<string, TaskSpec> specs = new(StringComparer.Ordinal);
        private ClusterState? state;

        internal void Take(SnapshotRecord record)
        {
            if (record.Header is { } header)
            {
                if (header.Format != Format)
                    throw new JsonException($"the snapshot has format {header.Format}, this version reads {Format}");
                state = new() { Index = header.Index };
                return;
            }

            var before = state ?? throw new JsonException("the snapshot does not begin with its header");
            state = record switch
            {
                { Swarm: { } swarm } => before with { Swarm = swarm },
                { Security: { } security } => before with { Security = security },
                { Revocation: { } revocation } => before with { Revocations = before.Revocations.Add(revocation.NodeId, revocation) },
                { Node: { } node } => before with { Nodes = before.Nodes.Add(node.Id, node) },
                { Network: { } network } => before with { Networks = before.Networks.Add(network.Id, network) },
                { LeavingNetwork: { } network } => before with { LeavingNetworks = before.LeavingNetworks.Add(network.Id, network) },
                { Secret: { } secret } => before with { Secrets = before.Secrets.Add(secret.Id, secret) },
                { Config: { } config } => before with { Configs = before.Configs.Add(config.Id, config) },
                { Service: { } service } => before with { Services = before.Services.Add(service.Id, Shared(service)) },
                { Spec: { } spec } => Known(before, spec),
                { Task: { } task } => before with { Tasks = before.Tasks.Add(task.Task.Id, task.Task with { Spec = specs[task.Spec] }) },
                { Request: { } request } => before with { Requests = before.Requests.Remember(request.Id, request.Outcome) },
                _ => throw new JsonException("a snapshot record of an unknown kind: it comes from a newer version"),
            };
        }

        internal ClusterState Finish() => state ?? throw new JsonException("the snapshot is empty");

        private ClusterState Known(ClusterState before, TaskSpec spec)
        {
            Shared(spec);
            return before;
        }

        private Service Shared(Service service) => service with
        {
            Spec = Shared(service.Spec),
            PreviousSpec = service.PreviousSpec is { } previous ? Shared(previous) : null,
        };

        private ServiceSpec Shared(ServiceSpec spec) => spec with { TaskTemplate = Shared(spec.TaskTemplate) };

        private TaskSpec Shared(TaskSpec spec)
        {
            var digest = Digest(spec);
            specs.TryAdd(digest, spec);
            return specs[digest];
        }
    }
}
