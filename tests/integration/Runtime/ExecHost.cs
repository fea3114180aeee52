using System.Collections.Immutable;
using System.Text;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Integration.Runtime;

/// <summary>What tests of sessions say often.</summary>
internal static class ExecHost
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static int counter;

    /// <summary>Starts a container that idles until it is deleted.</summary>
    internal static Task<StartedContainer> IdleAsync(this RuntimeHost host, string id) => host.StartAsync(host.Request(id, "sleep", "1000"));

    internal static ExecLaunch Exec(params ImmutableArray<string> arguments) => new()
    {
        ExecId = $"exec-{Interlocked.Increment(ref counter)}",
        Stdout = true,
        Stderr = true,
        Process = new OciProcess { Args = arguments, Env = ["PATH=/bin"], Capabilities = RuntimeHost.DockerCapabilities },
    };

    internal static ExecLaunch ExecShell(string script) => Exec("sh", "-c", script);

    /// <summary>Runs to the end: the code, stdout and stderr.</summary>
    internal static async Task<(int Code, string Output, string Error)> RunExecAsync(this IRuntime runtime, string id, ExecLaunch launch)
    {
        await using var session = await runtime.ExecAsync(id, launch, CancellationToken.None);
        var output = ReadAsync(session.Output);
        var error = ReadAsync(session.Error);
        var exit = await session.Ended.WaitAsync(Deadline);
        Assert.Equal(launch.ExecId, exit.Id);
        Assert.Equal(session.Pid, exit.Pid);
        return (exit.ExitCode, await output.WaitAsync(Deadline), await error.WaitAsync(Deadline));
    }

    /// <summary>All until the end.</summary>
    internal static async Task<string> ReadAsync(Stream? stream)
    {
        if (stream is null)
            return "";
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return Encoding.UTF8.GetString(all.ToArray());
    }

    /// <summary>Reads until the text was seen; what was read.</summary>
    internal static async Task<string> ReadUntilAsync(this Stream stream, string text)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var seen = new StringBuilder();
        var buffer = new byte[4096];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, deadline.Token);
            Assert.True(count > 0, $"The stream ended before '{text}': {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return seen.ToString();
    }

    internal static async Task SayAsync(this Stream? stream, string text) => await stream!.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask().WaitAsync(Deadline);

    internal static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"waited in vain until {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }
}
