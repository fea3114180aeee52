namespace Orchestrator.Worker.Images;

/// <summary>What an <see cref="ImageStore"/> is made from.</summary>
internal sealed record ImageStoreOptions
{
    /// <summary>The daemon's data root; the store uses <c>content/</c>, <c>layers/</c> and <c>build/</c> below it.</summary>
    public required string DataRoot { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told of each change after it is on disk; must not block.</summary>
    public Action<ImageEvent> OnEvent { get; init; } = _ => { };
}
