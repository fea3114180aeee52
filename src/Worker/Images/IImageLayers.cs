namespace Orchestrator.Worker.Images;

/// <summary>What containers need of images: a config to start from and directories to mount.</summary>
internal interface IImageLayers
{
    /// <summary>Finds an image by name, name and digest, id or unambiguous id prefix; null when this host has none.</summary>
    /// <exception cref="ImageException">The reference is not well formed, or a prefix fits several images.</exception>
    ValueTask<ImageRecord?> ResolveAsync(string reference, CancellationToken stop);

    /// <summary>
    /// The image's layer directories, unpacked when needed and kept until <see cref="ReleaseAsync"/>, also over restarts and when the image
    /// is removed by force. Asking again for the same holder gives the same answer, so recovery may call it for each container it finds.
    /// </summary>
    /// <exception cref="ImageException">No such image, or a layer that cannot be unpacked.</exception>
    ValueTask<LayerStack> AcquireLayersAsync(string imageId, string holderId, CancellationToken stop);

    /// <summary>Lets go of what the holder has; nothing happens when it has nothing.</summary>
    ValueTask ReleaseAsync(string holderId, CancellationToken stop);
}
