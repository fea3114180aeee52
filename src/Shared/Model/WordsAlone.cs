using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>An enumeration by its words: a number would pass for a value that there is none of.</summary>
public sealed class WordsAlone<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum;
