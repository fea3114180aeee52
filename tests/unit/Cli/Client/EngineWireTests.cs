using System.Net.Sockets;
using System.Text;
using Orchestrator.Cli.Client;

namespace Orchestrator.Tests.Unit.Cli.Client;

public sealed class EngineWireTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"orch-wire-{Guid.NewGuid():N}.sock");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public EngineWireTests()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        _listener.Listen();
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public async Task One_connection_serves_call_after_call()
    {
        var server = OnThread(() =>
        {
            using var connection = _listener.Accept();
            Answer(connection, "a");
            Answer(connection, "b");
        });
        using var wire = new EngineWire(_ => Dialled.Unix(_path));
        Assert.Equal("a", await Ask(wire));
        Assert.Equal("b", await Ask(wire));
        await server;
    }

    [Fact]
    public async Task A_connection_that_the_daemon_closed_meanwhile_is_made_anew()
    {
        var closed = new TaskCompletionSource();
        var server = OnThread(() =>
        {
            using (var first = _listener.Accept())
                Answer(first, "a");
            closed.SetResult();
            using var second = _listener.Accept();
            Answer(second, "b");
        });
        using var wire = new EngineWire(_ => Dialled.Unix(_path));
        Assert.Equal("a", await Ask(wire));
        await closed.Task;
        Assert.Equal("b", await Ask(wire));
        await server;
    }

    [Fact]
    public async Task A_call_that_waits_for_its_answer_can_be_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var asked = new TaskCompletionSource();
        var server = OnThread(() =>
        {
            using var connection = _listener.Accept();
            _ = connection.Receive(new byte[4096]);
            asked.SetResult();
            Assert.Equal(0, connection.Receive(new byte[4096])); // the client went away
        });
        using var wire = new EngineWire(_ => Dialled.Unix(_path));
        var call = OnThread(() => wire.Ask(HttpMethod.Get, "/wait", null, stop.Token));
        await asked.Task;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await server;
    }

    private static Task<string> Ask(EngineWire wire) =>
        OnThread(() => Encoding.UTF8.GetString(wire.Ask(HttpMethod.Get, "/", null, TestContext.Current.CancellationToken).Body));

    private static void Answer(Socket connection, string body)
    {
        _ = connection.Receive(new byte[4096]);
        connection.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }

    /// <summary>Blocking calls do not belong on the pool's threads.</summary>
    private static Task<T> OnThread<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task OnThread(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
