namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>Somebody outside who asks again and again.</summary>
internal static class RequestLoop
{
    /// <summary>One request after the other on new connections from outside the host; every one that did not answer is kept.</summary>
    internal static async Task<(int Answered, List<string> Failed)> RunAsync(string url, CancellationToken stop)
    {
        var answered = 0;
        List<string> failed = [];
        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { ConnectionClose = true } };
                using var response = await http.SendAsync(request, CancellationToken.None);
                response.EnsureSuccessStatusCode();
                answered++;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                failed.Add(e.Message);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
        return (answered, failed);
    }
}
