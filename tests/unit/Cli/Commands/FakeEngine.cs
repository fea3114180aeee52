using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Commands;

namespace Orchestrator.Tests.Unit.Cli.Commands;

/// <summary>An HTTP server on a unix socket that answers what a test says and keeps what it was asked; with it, runs of the command line.</summary>
public sealed class FakeEngine : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Dictionary<string, Func<HttpContext, string, Task>> _answers = new(StringComparer.Ordinal);

    private FakeEngine(WebApplication app, string socket) => (_app, Socket) = (app, socket);

    internal string Socket { get; }

    /// <summary><c>METHOD /path?query</c>, decoded, with the body when it is text.</summary>
    internal List<(string Call, string Body)> Calls { get; } = [];

    internal static async Task<FakeEngine> StartAsync()
    {
        var socket = Path.Combine(Path.GetTempPath(), $"orch-fake-{Guid.NewGuid():N}.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket));
        var app = builder.Build();
        var fake = new FakeEngine(app, socket);
        app.Run(fake.AnswerAsync);
        await app.StartAsync();
        return fake;
    }

    internal FakeEngine On(string call, string json, int status = 200) => On(call, async (http, _) =>
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(json);
    });

    internal FakeEngine On(string call, Func<HttpContext, string, Task> answer)
    {
        _answers[call] = answer;
        return this;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var text = Encoding.UTF8.GetString(body.ToArray());
        var call = $"{http.Request.Method} {http.Request.Path}";
        lock (Calls)
            Calls.Add((call + Uri.UnescapeDataString(http.Request.QueryString.Value ?? ""), text));
        if (_answers.TryGetValue(call, out var answer))
        {
            await answer(http, text);
            return;
        }
        http.Response.StatusCode = 404;
        await http.Response.WriteAsync($$"""{"message":"page not found: {{call}}"}""");
    }

    internal Task<Ran> RunAsync(params string[] args) => Run.OrchAsync(["-H", "unix://" + Socket, .. args]);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        File.Delete(Socket);
    }
}

internal sealed record Ran(int Code, string Out, string Error);

internal static class Run
{
    internal static async Task<Ran> OrchAsync(string[] args, string folder = "/", string input = "", params (string Name, string Value)[] environment)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var rawOut = new MemoryStream();
        using var rawError = new MemoryStream();
        var shell = new Shell
        {
            Out = output,
            Error = error,
            OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(input)),
            RawOut = rawOut,
            RawError = rawError,
            Environment = environment.ToDictionary(e => e.Name, e => e.Value, StringComparer.Ordinal),
            Folder = folder,
            Time = TimeProvider.System,
        };
        // It makes blocking calls on its process's main thread: here it gets a thread too, so that the pool's are left to the server.
        var stop = TestContext.Current.CancellationToken;
        var code = await Task.Factory.StartNew(() => CommandLine.RunAsync(args, shell, stop).GetAwaiter().GetResult(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return new Ran(code, output + Encoding.UTF8.GetString(rawOut.ToArray()), error + Encoding.UTF8.GetString(rawError.ToArray()));
    }
}
