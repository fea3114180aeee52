using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Tests.Bench.Services;

/// <summary>
/// One request after the other on new connections, from inside a daemon's network namespace: this program again, which ends when its input
/// does and then tells how many were answered and how many were not.
/// </summary>
internal sealed class RequestLoad : IAsyncDisposable
{
    private readonly Process _process;

    private RequestLoad(Process process) => _process = process;

    internal static RequestLoad Start(int pid, string url)
    {
        var start = new ProcessStartInfo("nsenter", ["-t", $"{pid}", "-n", Environment.ProcessPath!, "load", url]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        return new(Process.Start(start) ?? throw new InvalidOperationException("nsenter did not start"));
    }

    internal async Task<(int Answered, int Failed)> EndAsync()
    {
        _process.StandardInput.Close();
        var numbers = (await _process.StandardOutput.ReadToEndAsync()).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        await _process.WaitForExitAsync();
        return (int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    /// <summary>The other side.</summary>
    internal static async Task<int> RunAsync(string url)
    {
        // The console's own reader blocks its caller, whatever its name says.
        using var input = new StreamReader(Console.OpenStandardInput());
        var ended = Task.Run(input.ReadToEnd);
        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
        int answered = 0, failed = 0;
        while (!ended.IsCompleted)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { ConnectionClose = true } };
                using var response = await http.SendAsync(request);
                answered++;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                failed++;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
        Console.WriteLine($"{answered} {failed}");
        return 0;
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }
}
