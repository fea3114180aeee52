namespace Orchestrator.Worker.Runtime;

/// <summary>
/// A container's own stdio, from now on; of a container that has not been started yet, from its first byte. Any number of sessions may be open; one
/// that does not read holds up neither the container nor its log and misses nothing. Outputs end when the container does. Disposing ends the session.
/// </summary>
internal interface IAttachSession : IAsyncDisposable
{
    /// <summary>
    /// Null when the container was started without <see cref="LaunchRequest.OpenStdin"/> and without a terminal. Who asks for it is taken to be the
    /// container's input until the session ends.
    /// </summary>
    Stream? Input { get; }

    /// <summary>The container's stdout; with a terminal all that it writes.</summary>
    Stream Output { get; }

    /// <summary>Null with a terminal; of a container that has not been started yet it just ends.</summary>
    Stream? Error { get; }

    /// <summary>Sets the terminal's size; without a terminal nothing happens.</summary>
    Task ResizeAsync(int rows, int columns);

    /// <summary>
    /// This session writes no more. With <see cref="LaunchRequest.StdinOnce"/> the container then reads the end of its input, otherwise its stdin stays
    /// open for others. Disposing does the same, once <see cref="Input"/> was asked for.
    /// </summary>
    Task CloseInputAsync();
}
