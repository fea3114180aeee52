using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>
/// Clients that each add one to a number of their own, and to a common one, in labels of shared configs: always by the version they read, through
/// whichever manager answers. Each knows exactly which of its writes were acknowledged; of one whose outcome is unknown it asks until it knows.
/// So in the end every acknowledged write must be there, and none twice: the common number is the sum of the clients' own.
/// </summary>
internal sealed class VersionedWriters : IAsyncDisposable
{
    private const int WritersPerConfig = 2;
    private readonly IReadOnlyList<HttpClient> _managers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _guard = new();
    private readonly List<string> _problems = [];
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _began;
    private Task _running = Task.CompletedTask;
    private long _acknowledged;
    private long _refused;
    private long _unknown;
    private TimeSpan _longest;
    private TimeSpan _longestAt;
    private long _last;

    private VersionedWriters(IEnumerable<string> sockets)
    {
        _managers = [.. sockets.Select(Client)];
        _began = _last = _time.GetTimestamp();
    }

    /// <summary>Writes acknowledged so far.</summary>
    internal long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>The longest time in which no client's write was acknowledged.</summary>
    internal TimeSpan LongestGap
    {
        get
        {
            lock (_guard)
                return _longest;
        }
    }

    /// <param name="sockets">The managers' API sockets.</param>
    /// <param name="configs">How many objects are written, two clients to each.</param>
    internal static async Task<VersionedWriters> StartAsync(IEnumerable<string> sockets, int configs)
    {
        var writers = new VersionedWriters(sockets);
        for (var n = 0; n < configs; n++)
        {
            using var made = await writers._managers[0].PostAsync("configs/create", JsonContent.Create(new JsonObject { ["Name"] = Name(n), ["Data"] = "eA==" }));
            made.EnsureSuccessStatusCode();
        }

        writers._running = Task.WhenAll(Enumerable.Range(0, configs * WritersPerConfig).Select(writers.WriteAsync));
        return writers;
    }

    /// <summary>Starts to measure gaps anew.</summary>
    internal void ForgetGaps()
    {
        lock (_guard)
        {
            _longest = TimeSpan.Zero;
            _last = _time.GetTimestamp();
        }
    }

    /// <summary>Ends the clients and compares what they know with what each manager holds: all of them have to answer now. Every difference is a sentence.</summary>
    internal async Task<IReadOnlyList<string>> EndAsync()
    {
        await _stop.CancelAsync();
        await _running;
        foreach (var manager in _managers)
        {
            foreach (var name in await NamesAsync(manager))
            {
                var (labels, _) = await ReadAsync(manager, name);
                var own = labels.Where(l => l.Key.StartsWith('w')).Sum(l => Number(l.Value));
                if (own != Number(labels["all"]))
                    Problem($"{name}: the clients' own numbers add up to {own}, the common one is {Number(labels["all"])}");
            }
        }

        lock (_guard)
            return [.. _problems];
    }

    public override string ToString()
    {
        lock (_guard)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"{_acknowledged} writes acknowledged, {_refused} refused as out of sequence, {_unknown} of unknown outcome found out later; longest gap {_longest.TotalSeconds:F2} s (at {_longestAt.TotalSeconds:F1} s)");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        foreach (var manager in _managers)
            manager.Dispose();
        _stop.Dispose();
    }

    private async Task WriteAsync(int writer)
    {
        var name = Name(writer / WritersPerConfig);
        var label = $"w{writer}";
        var done = 0L; // the number under the own label that is known to be there
        var at = writer; // where it asks
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    done = await OnceAsync(_managers[at % _managers.Count], name, label, done);
                }
                catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or SocketException)
                {
                    at++; // this manager does not answer now: the next one
                    await Task.Delay(TimeSpan.FromMilliseconds(20), _time, _stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // the end
        }
    }

    /// <summary>Reads, checks what it knows, writes one more; answers what is known to be there now.</summary>
    private async Task<long> OnceAsync(HttpClient manager, string name, string label, long done)
    {
        var (labels, config) = await ReadAsync(manager, name);
        var present = labels.TryGetValue(label, out var text) ? Number(text) : 0;
        if (present < done)
            Problem($"{name}/{label}: {done} was acknowledged, {present} is read");
        if (present > done + 1)
            Problem($"{name}/{label}: {present} is read after {done}: a write was applied twice");
        if (present == done + 1)
        {
            lock (_guard)
                _unknown++; // the write that was not answered has come through
            return present;
        }

        labels[label] = (done + 1).ToString(CultureInfo.InvariantCulture);
        labels["all"] = ((labels.TryGetValue("all", out var all) ? Number(all) : 0) + 1).ToString(CultureInfo.InvariantCulture);
        var spec = config["Spec"]!.DeepClone().AsObject();
        spec["Labels"] = new JsonObject(labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)));
        using var answer = await manager.PostAsync(
            $"configs/{config["ID"]!.GetValue<string>()}/update?version={config["Version"]!["Index"]!.GetValue<ulong>()}", JsonContent.Create(spec));
        if (answer.IsSuccessStatusCode)
        {
            Acknowledge();
            return done + 1;
        }

        var said = await answer.Content.ReadAsStringAsync();
        if (said.Contains("out of sequence", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _refused);
            return done;
        }

        throw new HttpRequestException($"{(int)answer.StatusCode} {said}", null, answer.StatusCode);
    }

    private static async Task<(Dictionary<string, string> Labels, JsonObject Config)> ReadAsync(HttpClient manager, string name)
    {
        using var answer = await manager.GetAsync($"configs/{name}");
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new HttpRequestException($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}", null, answer.StatusCode);
        var config = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        var labels = config["Spec"]!["Labels"]?.AsObject().ToDictionary(l => l.Key, l => l.Value!.GetValue<string>(), StringComparer.Ordinal) ?? [];
        return (labels, config);
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(HttpClient manager)
    {
        using var answer = await manager.GetAsync("configs");
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}", null, answer.StatusCode);
        var all = await answer.Content.ReadFromJsonAsync<JsonArray>();
        return [.. all!.Select(c => c!["Spec"]!["Name"]!.GetValue<string>()).Where(n => n.StartsWith("written-", StringComparison.Ordinal))];
    }

    private void Acknowledge()
    {
        Interlocked.Increment(ref _acknowledged);
        lock (_guard)
        {
            var now = _time.GetTimestamp();
            var gap = _time.GetElapsedTime(_last, now);
            if (gap > _longest)
            {
                _longest = gap;
                _longestAt = _time.GetElapsedTime(_began, now);
            }

            _last = now;
        }
    }

    private void Problem(string sentence)
    {
        lock (_guard)
            _problems.Add(sentence);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Name(int n) => $"written-{n}";

    private static HttpClient Client(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await unix.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
                return new NetworkStream(unix, ownsSocket: true);
            }
            catch
            {
                unix.Dispose();
                throw;
            }
        },
        PooledConnectionLifetime = TimeSpan.FromSeconds(30),
    })
    {
        BaseAddress = new Uri("http://engine/"),
        Timeout = TimeSpan.FromSeconds(5),
    };
}
