using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>A profile in Docker's file format: rules that hold or not depending on capabilities, kernel and architecture.</summary>
internal sealed record SeccompProfile
{
    public required string DefaultAction { get; init; }
    public uint? DefaultErrnoRet { get; init; }
    public ImmutableArray<SeccompArchitecture> ArchMap { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<SeccompRule> Syscalls { get; init => field = value.IsDefault ? [] : value; } = [];

    private static readonly Lazy<SeccompProfile> Docker = new(LoadDefault);

    /// <summary>Docker's default profile, as published with the engine.</summary>
    internal static SeccompProfile Default => Docker.Value;

    /// <summary>Reads a profile file (<c>--security-opt seccomp=…</c>).</summary>
    internal static SeccompProfile Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, SeccompJson.Default.SeccompProfile)
        ?? throw new JsonException("The seccomp profile is null.");

    /// <summary>The filter for a container with these capabilities on this kernel, on x86-64.</summary>
    internal OciSeccomp For(IReadOnlySet<string> capabilities, Version kernel) => new()
    {
        DefaultAction = DefaultAction,
        DefaultErrnoRet = DefaultErrnoRet,
        Architectures = [.. ArchMap.Where(a => a.Architecture == "SCMP_ARCH_X86_64").SelectMany(a => (a.SubArchitectures ?? []).Prepend(a.Architecture))],
        Syscalls = [.. Syscalls.Where(rule => rule.Holds(capabilities, kernel)).Select(rule => rule.ToOci())],
    };

    private static SeccompProfile LoadDefault()
    {
        using var stream = typeof(SeccompProfile).Assembly.GetManifestResourceStream("Seccomp/default.json")
            ?? throw new InvalidOperationException("The default seccomp profile is not in the assembly.");
        return JsonSerializer.Deserialize(stream, SeccompJson.Default.SeccompProfile)!;
    }
}

internal sealed record SeccompArchitecture
{
    public string Architecture { get; init => field = value ?? ""; } = "";
    /// <summary>Null in the file where there are none.</summary>
    public ImmutableArray<string>? SubArchitectures { get; init; }
}

internal sealed record SeccompRule
{
    /// <summary>GOARCH names that mean x86-64, whose rules may also cover its 32-bit ways in.</summary>
    private const string Architecture = "amd64";

    public ImmutableArray<string> Names { get; init => field = value.IsDefault ? [] : value; } = [];
    public required string Action { get; init; }
    public uint? ErrnoRet { get; init; }
    public ImmutableArray<OciSyscallArg> Args { get; init => field = value.IsDefault ? [] : value; } = [];
    public SeccompCondition? Includes { get; init; }
    public SeccompCondition? Excludes { get; init; }

    internal bool Holds(IReadOnlySet<string> capabilities, Version kernel) =>
        Includes?.Included(capabilities, kernel, Architecture) != false
        && Excludes?.Excluded(capabilities, kernel, Architecture) != true;

    internal OciSyscall ToOci() => new() { Names = Names, Action = Action, ErrnoRet = ErrnoRet, Args = Args };
}

internal sealed record SeccompCondition
{
    public ImmutableArray<string> Caps { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<string> Arches { get; init => field = value.IsDefault ? [] : value; } = [];
    public string? MinKernel { get; init; }

    /// <summary>Every kind that is named must hold; of architectures one, of capabilities all.</summary>
    internal bool Included(IReadOnlySet<string> capabilities, Version kernel, string architecture) =>
        (Arches.IsEmpty || Arches.Contains(architecture))
        && Caps.All(capabilities.Contains)
        && (MinKernel is null || kernel >= Version.Parse(MinKernel));

    /// <summary>One that holds is enough.</summary>
    internal bool Excluded(IReadOnlySet<string> capabilities, Version kernel, string architecture) =>
        Arches.Contains(architecture)
        || Caps.Any(capabilities.Contains)
        || (MinKernel is not null && kernel >= Version.Parse(MinKernel));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SeccompProfile))]
internal sealed partial class SeccompJson : JsonSerializerContext;
