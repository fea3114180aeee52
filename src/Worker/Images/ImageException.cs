namespace Orchestrator.Worker.Images;

/// <summary>Why the store refused; the API maps it to a status.</summary>
internal enum ImageFault
{
    /// <summary>The request makes no sense as written (400).</summary>
    Invalid,

    /// <summary>No such image (404).</summary>
    NotFound,

    /// <summary>A container or another name stands in the way (409).</summary>
    Conflict,

    /// <summary>An archive or blob that is damaged, hostile or of a kind that cannot be read (400).</summary>
    BadContent,
}

/// <summary>A refusal by the image room; the message is a sentence for the operator.</summary>
internal sealed class ImageException(ImageFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public ImageFault Fault { get; } = fault;

    internal static ImageException NotFound(string reference) => new(ImageFault.NotFound, $"No such image: {reference}");
    internal static ImageException Invalid(string message) => new(ImageFault.Invalid, message);
    internal static ImageException Conflict(string message) => new(ImageFault.Conflict, message);
    internal static ImageException Bad(string message, Exception? inner = null) => new(ImageFault.BadContent, message, inner);
}
