namespace Orchestrator.Worker.Runtime;

/// <summary>
/// A program that was executed in a running container, with the ends of its stdio that the caller holds. Disposing closes them and
/// leaves the program alone: it goes on until it ends, or until it misses them.
/// </summary>
internal interface IExecSession : IAsyncDisposable
{
    /// <summary>As the host counts.</summary>
    int Pid { get; }

    /// <summary>Null when it was started without an input.</summary>
    Stream? Input { get; }

    /// <summary>Null when it was started without an output. With a terminal it carries all that the program writes.</summary>
    Stream? Output { get; }

    /// <summary>Null when it was started without one, or with a terminal.</summary>
    Stream? Error { get; }

    /// <summary>How the program ended; the exit's id is the exec's. Output may still be there to be read. Fails when the runtime was lost.</summary>
    Task<ContainerExit> Ended { get; }

    /// <summary>Sends a signal to the program alone, not to its children; one that ended already is no error.</summary>
    Task SignalAsync(int signal);

    /// <summary>Sets the terminal's size; without a terminal nothing happens.</summary>
    Task ResizeAsync(int rows, int columns);

    /// <summary>The program reads the end of its input once it has read what was written. A terminal has no such end: nothing happens.</summary>
    Task CloseInputAsync();
}
