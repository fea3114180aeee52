using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Daemon;

/// <summary>The first SIGTERM or SIGINT asks the daemon to stop; the second is the kernel's own, and ends it.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    internal StopSignals(CancellationTokenSource ending)
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                if (ending.IsCancellationRequested)
                    return; // not cancelled: the default action
                context.Cancel = true;
                Reason = context.Signal.ToString();
                ending.Cancel();
            }));
        }
    }

    internal string Reason { get; private set; } = "cancelled";

    public void Dispose() => _registrations.ForEach(r => r.Dispose());
}
