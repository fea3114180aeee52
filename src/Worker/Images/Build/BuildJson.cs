using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Images.Build;

/// <summary>JSON of the build room: exec forms and cache entries.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(CachedStep))]
internal sealed partial class BuildJson : JsonSerializerContext;
