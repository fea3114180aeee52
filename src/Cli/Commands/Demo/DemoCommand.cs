using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Stacks;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Demo;

/// <summary><c>orch demo</c>: a cluster of one host in its own roots, with the hello stack on it.</summary>
internal static class DemoCommand
{
    private const string Stack = "hello";
    private const string ServiceName = "hello_web";
    private const int UsualPort = 8080;

    internal static Command Create(Shell shell)
    {
        var port = Flags.Whole("--port", "The page's port (default 8080, or the next free one)");
        var demo = new Command("demo", "Show a stack of real containers on this host; 'demo down' takes it away").Does(
            shell, [port], async (call, stop) => await UpAsync(call, call.Get(port), stop));
        demo.Subcommands.Add(DemoDown.Create(shell));
        return demo;
    }

    private static async Task<int> UpAsync(Invocation call, int? wanted, CancellationToken stop)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new CommandException("the demo runs containers: run it as root, as in: sudo ./orch demo");
        if (wanted is < 1 or > 65535)
            throw new CommandException($"--port {wanted} is not a port: a port is a whole number from 1 to 65535");
        var shell = call.Shell;
        using var client = new EngineClient(new EngineAddress(DemoHost.Socket, "demo"));
        using var inside = call.With(client);
        var started = false;
        try
        {
            var host = new DemoHost(shell.Time);
            var running = await DemoHost.AnswersAsync(client, stop);
            var port = await PortAsync(inside, wanted, running, stop);
            await shell.Out.WriteLineAsync($"The page:  http://localhost:{port}/");
            await shell.Out.WriteLineAsync($"To look:   export ORCH_HOST=unix://{DemoHost.Socket}\n");
            await shell.Out.FlushAsync(stop);
            if (!running)
            {
                started = true;
                await SayAsync(shell, $"Starting a daemon in {DemoHost.DataRoot} and {DemoHost.ExecRoot} (log: {DemoHost.LogFile})");
                await host.StartAsync(client, stop);
            }
            var code = await DeployAsync(inside, port, stop);
            if (code != 0)
                return code;
            await FetchAsync(shell, port, stop);
            await ScaleAsync(inside, 5, stop);
            await SayAsync(shell, Next(port));
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && started)
        {
            await SayAsync(shell, "\nInterrupted: taking away what is half done");
            await DemoDown.RunAsync(inside, CancellationToken.None);
            throw;
        }
    }

    private static async Task SayAsync(Shell shell, string text)
    {
        await shell.Out.WriteLineAsync(text);
        await shell.Out.FlushAsync(CancellationToken.None);
    }

    /// <summary>The port of the demo that runs already, the wanted one, or the next that is free.</summary>
    private static async Task<int> PortAsync(Invocation call, int? wanted, bool running, CancellationToken stop)
    {
        if (running)
        {
            var services = await call.Client.GetAsync<InfoReply>("/info", stop) is { Swarm.LocalNodeState: "active" }
                ? await call.ServicesAsync(Flags.Filters(null, ("name", ServiceName)), stop) : [];
            var used = services.SelectMany(s => s.Endpoint.Ports).FirstOrDefault(p => p.TargetPort == 80)?.PublishedPort;
            if (used is > 0 && (wanted is null || wanted == used))
                return used.Value;
        }
        var first = wanted ?? UsualPort;
        if (DemoHost.IsFree(first))
            return first;
        for (var port = first + 1; port <= 65535; port++)
        {
            if (!DemoHost.IsFree(port))
                continue;
            await SayAsync(call.Shell, $"Port {first} is busy; taking {port}");
            return port;
        }
        throw new CommandException($"no port from {first} on is free");
    }

    private static async Task<int> DeployAsync(Invocation call, int port, CancellationToken stop)
    {
        var shell = call.Shell;
        var info = await call.Client.GetAsync<InfoReply>("/info", stop);
        if (info.Swarm.LocalNodeState != "active")
        {
            await SayAsync(shell, "Making this host a cluster of one");
            await call.Client.SendAsync<SwarmInitRequest, string>(HttpMethod.Post, "/swarm/init", new SwarmInitRequest { ListenAddr = "0.0.0.0:2377" }, stop);
        }
        await LoadBaseAsync(call, stop);
        var path = await DemoFiles.WriteAsync(Path.Combine(DemoHost.ExecRoot, "example"), stop);
        var at = new Shell
        {
            Out = shell.Out,
            Error = shell.Error,
            OpenInput = shell.OpenInput,
            RawOut = shell.RawOut,
            RawError = shell.RawError,
            Environment = new Dictionary<string, string>(shell.Environment) { ["PORT"] = port.ToString(CultureInfo.InvariantCulture) },
            Folder = Path.GetDirectoryName(path)!,
            Time = shell.Time,
            IsTerminal = shell.IsTerminal,
        };
        await SayAsync(shell, "Deploying the stack 'hello'");
        return await StackDeploy.RunAsync(call, await StackFiles.ReadAsync(at, [path], stop), Stack, prune: false, quiet: false, detach: false, stop);
    }

    private static async Task LoadBaseAsync(Invocation call, CancellationToken stop)
    {
        var have = await call.Client.GetAsync<IReadOnlyList<ImageSummary>>(
            EngineClient.Query("/images/json", ("filters", EngineClient.Filters(Flags.Filters(null, ("reference", BaseImage.Name))))), stop);
        if (have.Count > 0)
            return;
        await SayAsync(call.Shell, $"Making the image {BaseImage.Name} from this host's busybox");
        using var body = new ByteArrayContent(await BaseImage.ArchiveAsync(stop)) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-tar") } };
        using var response = await call.Client.OpenAsync(HttpMethod.Post, EngineClient.Query("/images/load", ("quiet", "1")), body, stop);
        await ProgressStream.WriteAsync(response, call.Shell.Out, stop);
    }

    /// <summary>Asks for the page, each time over a new connection, until three replicas have answered.</summary>
    private static async Task FetchAsync(Shell shell, int port, CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        HttpRequestException? last = null;
        for (var i = 0; i < 100 && seen.Count < 3; i++)
        {
            try
            {
                var page = await http.GetStringAsync(new Uri($"http://localhost:{port}/"), stop);
                var line = page.Split('\n').FirstOrDefault(l => l.Contains("<h1>", StringComparison.Ordinal)) ?? page;
                if (seen.Add(line))
                    await SayAsync(shell, $"GET http://localhost:{port}/ -> {line.Replace("<h1>", "", StringComparison.Ordinal).Replace("</h1>", "", StringComparison.Ordinal)}");
            }
            catch (HttpRequestException e)
            {
                last = e;
                await Task.Delay(TimeSpan.FromMilliseconds(50), shell.Time, stop);
            }
        }
        if (seen.Count < 3)
            throw new CommandException($"the page was answered by {seen.Count} of 3 replicas{(last is null ? "" : $" (last failure: {last.Message})")}");
    }

    private static async Task ScaleAsync(Invocation call, ulong replicas, CancellationToken stop)
    {
        await SayAsync(call.Shell, $"Scaling {ServiceName} to {replicas}");
        var service = await call.ServiceAsync(ServiceName, stop);
        var wait = new ServiceWait(call);
        await wait.NoteAsync(Flags.Filters(null, ("service", service.Id.Value)), stop);
        await ServiceUpdate.SendAsync(call, service, service.Spec with { Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } } }, stop);
        if (await wait.RunAsync([service.Id.Value], stop) is { } reason)
            throw new CommandException(reason);
    }

    private static string Next(int port) => $"""

        It runs: http://localhost:{port}/   (reload it: another replica answers)

          export ORCH_HOST=unix://{DemoHost.Socket}
          ./orch service ps {ServiceName}
          ./orch service logs {ServiceName}
          ./orch service scale {ServiceName}=2
          ./orch ps
          docker -H $ORCH_HOST service ls      the stock client works too

        Take it away with: ./orch demo down
        """;
}
