using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>Drives any daemon that speaks the Engine API, so that both peers are asked in the same words by the same code.</summary>
internal sealed class EngineDriver : IDisposable
{
    private readonly HttpClient _http;

    internal EngineDriver(string socket)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await unix.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
                return new NetworkStream(unix, ownsSocket: true);
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://engine/"), Timeout = TimeSpan.FromMinutes(2) };
    }

    internal async Task WaitReadyAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await Succeed(await _http.GetAsync("_ping"));
                return;
            }
            catch (Exception e) when (attempt < 600 && e is HttpRequestException or SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }

    internal async Task ImportAsync(byte[] tar, string name) =>
        await Succeed(await _http.PostAsync($"images/create?fromSrc=-&repo={name}&tag=latest", new ByteArrayContent(tar)));

    internal async Task<JsonNode> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path);
        await Succeed(answer);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    internal Task PostAsync(string path, JsonNode body) => SendAsync(path, body);

    /// <summary>Seconds from the create request until every replica is observed running.</summary>
    internal async Task<double> StartServiceAsync(string name, string image, int replicas, int port, string network)
    {
        var spec = new JsonObject
        {
            ["Name"] = name,
            ["TaskTemplate"] = new JsonObject
            {
                ["ContainerSpec"] = new JsonObject { ["Image"] = image, ["Command"] = new JsonArray("/bin/busybox", "httpd", "-f", "-p", "80"), ["StopSignal"] = "SIGKILL" },
                ["Networks"] = new JsonArray(new JsonObject { ["Target"] = network }),
            },
            ["Mode"] = new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = replicas } },
            ["EndpointSpec"] = new JsonObject
            {
                ["Mode"] = "vip",
                ["Ports"] = new JsonArray(new JsonObject { ["Protocol"] = "tcp", ["TargetPort"] = 80, ["PublishedPort"] = port, ["PublishMode"] = "ingress" }),
            },
        };
        var started = Stopwatch.GetTimestamp();
        await SendAsync("services/create", spec);
        while (await CountAsync(name, "running") < replicas)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Replaces every task by a changed variable, some at a time; seconds until only new ones run.</summary>
    internal async Task<double> UpdateServiceAsync(string name, int replicas, int parallelism)
    {
        var service = (await _http.GetFromJsonAsync<JsonObject>($"services/{name}"))!;
        var spec = service["Spec"]!.DeepClone().AsObject();
        var template = spec["TaskTemplate"]!.AsObject();
        var change = (template["ForceUpdate"]?.GetValue<ulong>() ?? 0) + 1;
        template["ForceUpdate"] = change;
        spec["UpdateConfig"] = new JsonObject { ["Parallelism"] = parallelism, ["FailureAction"] = "pause", ["Order"] = "stop-first" };
        var started = Stopwatch.GetTimestamp();
        await SendAsync($"services/{service["ID"]!.GetValue<string>()}/update?version={service["Version"]!["Index"]!.GetValue<ulong>()}", spec);
        while (await CountNewAsync(name, change) < replicas)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Waits until the update is over, its monitor period too.</summary>
    internal async Task AwaitUpdateAsync(string name)
    {
        while ((await _http.GetFromJsonAsync<JsonObject>($"services/{name}"))!["UpdateStatus"]?["State"]?.GetValue<string>() is var state && state != "completed")
        {
            if (state is not (null or "updating"))
                throw new InvalidOperationException($"the update of {name} is {state}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    private async Task<int> CountNewAsync(string service, ulong change)
    {
        var filter = Uri.EscapeDataString($$"""{"service":["{{service}}"],"desired-state":["running"]}""");
        using var tasks = JsonDocument.Parse(await _http.GetByteArrayAsync($"tasks?filters={filter}"));
        return tasks.RootElement.EnumerateArray().Count(t => t.GetProperty("Status").GetProperty("State").GetString() == "running"
            && t.GetProperty("Spec").TryGetProperty("ForceUpdate", out var forced) && forced.GetUInt64() == change);
    }

    /// <summary>Removes the service and waits until no container of it is left.</summary>
    internal async Task RemoveServiceAsync(string name)
    {
        await Succeed(await _http.DeleteAsync($"services/{name}"));
        var filter = Uri.EscapeDataString($$"""{"label":["com.docker.swarm.service.name={{name}}"]}""");
        while ((await _http.GetFromJsonAsync<JsonArray>($"containers/json?all=1&filters={filter}"))!.Count > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
    }

    internal async Task RunContainerAsync(string name, string image, string[] command)
    {
        await SendAsync($"containers/create?name={name}", new JsonObject { ["Image"] = image, ["Entrypoint"] = Words(command) });
        await Succeed(await _http.PostAsync($"containers/{name}/start", null));
    }

    internal async Task RemoveContainerAsync(string name) => await Succeed(await _http.DeleteAsync($"containers/{name}?force=1"));

    private static JsonArray Words(string[] words) => [.. words.Select(w => (JsonNode)w)];

    private async Task<int> CountAsync(string service, string state)
    {
        var filter = Uri.EscapeDataString($$"""{"service":["{{service}}"],"desired-state":["running"]}""");
        using var tasks = JsonDocument.Parse(await _http.GetByteArrayAsync($"tasks?filters={filter}"));
        return tasks.RootElement.EnumerateArray().Count(t => t.GetProperty("Status").GetProperty("State").GetString() == state);
    }

    private async Task SendAsync(string path, JsonNode body) => await Succeed(await _http.PostAsync(path, JsonContent.Create(body)));

    private static async Task Succeed(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{response.RequestMessage?.RequestUri}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    public void Dispose() => _http.Dispose();
}
