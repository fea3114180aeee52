using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Images;

/// <summary>JSON of images: null properties are left out, as Docker and the OCI specifications write them.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageDocument))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(ProgressMessage))]
internal sealed partial class ImageJson : JsonSerializerContext
{
    /// <summary>One progress line with its newline.</summary>
    internal static byte[] Line(ProgressMessage message) => [.. JsonSerializer.SerializeToUtf8Bytes(message, Default.ProgressMessage), (byte)'\n'];
}
