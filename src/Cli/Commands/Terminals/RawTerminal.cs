using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands.Terminals;

/// <summary>Our terminal's keys as they are pressed, until it is disposed.</summary>
internal sealed class RawTerminal : IDisposable
{
    private const int Input = 0;
    private readonly byte[] _before = ConsoleMode.EnterRaw(Input);
    private bool _restored;

    public void Dispose()
    {
        if (_restored)
            return;
        _restored = true;
        ConsoleMode.Restore(Input, _before);
    }
}
