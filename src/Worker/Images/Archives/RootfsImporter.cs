using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Makes an image of one layer from the tar of a root file system.</summary>
internal sealed class RootfsImporter(ImageContent content)
{
    internal async Task<string> ImportAsync(
        Stream rootfs, string? reference, ImmutableArray<string> changes, string? message, CancellationToken stop)
    {
        ImmutableArray<ImageReference> names = string.IsNullOrEmpty(reference) ? [] : [ImageReference.Parse(reference)];
        var config = ConfigChanges.Parse(changes);
        using var scope = content.Pins.Open();
        using var spool = await Spool.ReceiveAsync(rootfs, content.Blobs, "the root file system", stop);
        var image = await Task.Run(() => Write(spool, config, message, scope), stop);
        await content.UnpackAsync(image, scope, stop);
        await Task.Run(() => content.Publish([(image, names)]), stop);
        content.Tell("import", image.Id, names.IsEmpty ? image.Id : names[0].Familiar);
        return image.Id;
    }

    private StoredImage Write(Spool spool, ImageConfig config, string? message, Pins.Scope scope)
    {
        using var file = spool.Open();
        var tar = new TarScanner(file);
        var entries = 0;
        while (tar.Next() is not null)
            entries++;
        if (!tar.SawEnd)
            throw ImageException.Bad("the root file system is cut off: the tar's end marker is missing");
        if (entries == 0)
            throw ImageException.Bad("the root file system's tar is empty");
        file.Position = 0;
        var layer = content.Blobs.Put(file, null, scope);
        var document = new ImageDocument
        {
            Created = content.Now,
            Architecture = HostPlatform.Architecture,
            Os = HostPlatform.Os,
            Comment = message,
            Config = config,
            Rootfs = new() { DiffIds = [layer.Digest] },
            History = [new() { Created = content.Now, Comment = message ?? "Imported from -" }],
        };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(document, ImageJson.Default.ImageDocument);
        return content.Write(bytes, document, [new() { MediaType = MediaTypes.Layer, Digest = layer.Digest, Size = layer.Size }], scope);
    }
}
