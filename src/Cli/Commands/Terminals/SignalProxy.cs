using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Terminals;

/// <summary>Hands the signals that we get to a container's program; ours is to wait for its end.</summary>
internal sealed class SignalProxy : IAsyncDisposable
{
    // signal(7): HUP INT QUIT USR1 USR2 TERM CONT
    private static readonly int[] Forwarded = [1, 2, 3, 10, 12, 15, 18];

    private readonly Shell _shell;
    private readonly Channel<int> _signals = Channel.CreateBounded<int>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Task _sending;

    internal SignalProxy(Invocation call, string container)
    {
        _shell = call.Shell;
        _shell.KeepsSignals = true;
        foreach (var signal in Forwarded)
        {
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)signal, context =>
            {
                context.Cancel = true;
                _signals.Writer.TryWrite(signal);
            }));
        }

        _sending = SendAsync(call.Client, container);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _shell.KeepsSignals = false;
        _signals.Writer.Complete();
        await _sending;
    }

    private async Task SendAsync(EngineClient client, string container)
    {
        await foreach (var signal in _signals.Reader.ReadAllAsync())
        {
            try
            {
                await client.SendAsync(
                    HttpMethod.Post,
                    EngineClient.Query($"/containers/{EngineClient.Name(container)}/kill", ("signal", signal.ToString(CultureInfo.InvariantCulture))), CancellationToken.None);
            }
            catch (EngineException e) when (e.Status is 404 or 409)
            {
                // It has ended.
            }
        }
    }
}
