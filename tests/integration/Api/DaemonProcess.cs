using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Recovery;

namespace Orchestrator.Tests.Integration.Api;

/// <summary>An <c>orch daemon</c> on roots of its own, driven over its socket; everything of it is gone afterwards.</summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly StringBuilder _log = new();
    private Process? _process;

    private DaemonProcess(string root)
    {
        Root = root;
        Client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://orch"),
            Timeout = Patience,
        };
    }

    internal string Root { get; }

    internal HttpClient Client { get; }

    internal string SocketPath => Path.Combine(Root, "run", "orch.sock");

    private string DataRoot => Path.Combine(Root, "data");

    private string ExecRoot => Path.Combine(Root, "run");

    internal static async Task<DaemonProcess> StartAsync()
    {
        var daemon = new DaemonProcess(Directory.CreateTempSubdirectory("orch-api").FullName);
        try
        {
            await daemon.RunAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the process and waits until it answers.</summary>
    internal async Task RunAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "orch"), ["daemon", "--data-root", DataRoot, "--exec-root", ExecRoot])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("no process");
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_log)
                _log.AppendLine(e.Data);
        };
        process.BeginErrorReadLine();
        _process = process;
        await UntilAsync("the daemon answers", async () =>
        {
            if (process.HasExited)
                throw new InvalidOperationException($"the daemon ended with {process.ExitCode}:\n{Log}");
            try
            {
                return (await Client.GetAsync(new Uri("/_ping", UriKind.Relative))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }

    internal string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    internal async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    internal async Task<int> StopAsync()
    {
        await RunAsync("kill", "-TERM", _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Imports an image of one static busybox.</summary>
    internal async Task ImportBusyboxAsync(string name)
    {
        var rootfs = Directory.CreateDirectory(Path.Combine(Root, "rootfs", "bin")).FullName;
        File.Copy("/bin/busybox", Path.Combine(rootfs, "busybox"), overwrite: true);
        foreach (var applet in new[] { "sh", "sleep", "echo" })
            File.CreateSymbolicLink(Path.Combine(rootfs, applet), "busybox");
        using var archive = new MemoryStream();
        await System.Formats.Tar.TarFile.CreateFromDirectoryAsync(Path.GetDirectoryName(rootfs)!, archive, includeBaseDirectory: false);
        archive.Position = 0;
        using var body = new StreamContent(archive);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        var answer = await Client.PostAsync(new Uri($"/images/create?fromSrc=-&repo={name}", UriKind.Relative), body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    internal Task<(int Code, string Out, string Error)> DockerAsync(params string[] arguments) => RunAsync("docker", ["-H", $"unix://{SocketPath}", .. arguments]);

    internal static async Task<(int Code, string Out, string Error)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, output, await error);
    }

    internal async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > Patience)
                throw new TimeoutException($"not reached: {what}\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        _process?.Dispose();
        await HostTeardown.RunAsync(DataRoot, ExecRoot, NullLoggerFactory.Instance, CancellationToken.None);
        Directory.Delete(Root, recursive: true);
    }
}
