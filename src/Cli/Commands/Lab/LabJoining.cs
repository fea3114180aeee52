using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>Makes one cluster of a lab's hosts, through their API as anybody would.</summary>
internal sealed class LabJoining(LabPlace place, LabState state, Shell shell)
{
    private const int ClusterPort = 2377;
    private const string ListenAddress = "0.0.0.0:2377";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The first host begins the cluster, the other managers follow one by one, the workers all together; then waits until all are ready.</summary>
    internal async Task FormAsync(CancellationToken stop)
    {
        var first = state.Hosts[0];
        await WithAsync(first.Name, client => client.SendAsync<SwarmInitRequest, string>(
            HttpMethod.Post, "/swarm/init", new SwarmInitRequest { ListenAddr = ListenAddress, AdvertiseAddr = first.Address }, stop));
        await SayAsync($"{first.Name} began a cluster");
        if (state.Hosts.Length == 1)
            return;
        var tokens = await WithAsync(first.Name, async client => (await client.GetJsonAsync("/swarm", stop)).TryGetProperty("JoinTokens", out var given)
            ? given
            : throw new CommandException($"{first.Name} tells no tokens to join by: its version knows clusters of one host only"));
        foreach (var manager in state.Hosts.Skip(1).Where(h => h.Manager))
            await JoinAsync(manager, Text(tokens, "Manager"), stop);
        await Task.WhenAll(state.Hosts.Where(h => !h.Manager).Select(worker => JoinAsync(worker, Text(tokens, "Worker"), stop)));
        await ReadyAsync(stop);
    }

    /// <summary>The nodes as the first host that answers for the cluster knows them, by host name; empty when none does.</summary>
    internal static async Task<IReadOnlyDictionary<string, Node>> NodesAsync(LabPlace place, LabState state, TimeProvider time, CancellationToken stop)
    {
        foreach (var host in state.Hosts.Where(h => h.Daemon?.IsAlive == true).OrderByDescending(h => h.Manager))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
            using var client = new EngineClient(new EngineAddress(place.Socket(host.Name), "lab"));
            try
            {
                var nodes = await client.GetAsync<IReadOnlyList<Node>>("/nodes", both.Token);
                return nodes.Where(n => n.Description is not null).GroupBy(n => n.Description!.Hostname, StringComparer.Ordinal)
                    .ToDictionary(n => n.Key, n => n.OrderByDescending(o => o.Status.State == NodeState.Ready).First(), StringComparer.Ordinal);
            }
            catch (Exception e) when (e is EngineException or EngineUnreachableException || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                // A worker, or one without a majority: the next one may know.
            }
        }

        return new Dictionary<string, Node>(StringComparer.Ordinal);
    }

    private async Task JoinAsync(LabHostState host, string token, CancellationToken stop)
    {
        var managers = state.Hosts.Where(h => h.Manager && h != host).Select(h => $"{h.Address}:{ClusterPort}");
        using var body = new ByteArrayContent(JoinRequest(host.Address, managers, token)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            await WithAsync(host.Name, async client =>
            {
                using var response = await client.OpenAsync(HttpMethod.Post, "/swarm/join", body, stop);
                return response.StatusCode;
            });
        }
        catch (EngineException refused)
        {
            throw new CommandException($"{host.Name} could not join: {CommandLine.Words(refused)}");
        }

        await SayAsync($"{host.Name} joined as a {(host.Manager ? "manager" : "worker")}");
    }

    private static byte[] JoinRequest(string address, IEnumerable<string> managers, string token)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("ListenAddr", ListenAddress);
            json.WriteString("AdvertiseAddr", address);
            json.WriteStartArray("RemoteAddrs");
            foreach (var manager in managers)
                json.WriteStringValue(manager);
            json.WriteEndArray();
            json.WriteString("JoinToken", token);
            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    private async Task ReadyAsync(CancellationToken stop)
    {
        var began = shell.Time.GetTimestamp();
        while (true)
        {
            var nodes = await NodesAsync(place, state, shell.Time, stop);
            var waiting = state.Hosts.Where(h => !IsReady(h, nodes.GetValueOrDefault(h.Name))).Select(h => h.Name).ToList();
            if (waiting.Count == 0)
                return;
            if (shell.Time.GetElapsedTime(began) > Patience)
                throw new CommandException($"{string.Join(", ", waiting)} joined and {(waiting.Count == 1 ? "is" : "are")} not ready after {Patience.TotalSeconds:F0} s");
            await Task.Delay(TimeSpan.FromMilliseconds(50), shell.Time, stop);
        }
    }

    private static bool IsReady(LabHostState host, Node? node) =>
        node is { Status.State: NodeState.Ready } && (!host.Manager || node.ManagerStatus is { Reachability: Reachability.Reachable });

    private async Task<T> WithAsync<T>(string host, Func<EngineClient, Task<T>> act)
    {
        using var client = new EngineClient(new EngineAddress(place.Socket(host), "lab"));
        return await act(client);
    }

    private async Task SayAsync(string text)
    {
        await shell.Out.WriteLineAsync(text);
        await shell.Out.FlushAsync(CancellationToken.None);
    }

    private static string Text(JsonElement tokens, string role) => tokens.GetProperty(role).GetString() ?? throw new CommandException($"the cluster has no token for a {role}");
}
