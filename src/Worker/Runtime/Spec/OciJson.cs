using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Runtime.Spec;

/// <summary>
/// Source-generated JSON of the runtime specification (camelCase, absent rather than null). The generated code passes
/// null or zero to every init accessor whose property is absent, so the records put their defaults back in the accessor.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciSpec))]
internal sealed partial class OciJson : JsonSerializerContext;
