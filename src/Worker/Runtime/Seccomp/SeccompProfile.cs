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

    /// <summary>The old way of naming architectures; the two exclude each other.</summary>
    public ImmutableArray<string> Architectures { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Of seccomp(2), passed on.</summary>
    public ImmutableArray<string> Flags { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>For SCMP_ACT_NOTIFY, which nobody here would answer.</summary>
    public string? ListenerPath { get; init; }

    public ImmutableArray<SeccompArchitecture> ArchMap { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<SeccompRule> Syscalls { get; init => field = value.IsDefault ? [] : value; } = [];

    private static readonly Lazy<SeccompProfile> Docker = new(LoadDefault);

    /// <summary>Docker's default profile, as published with the engine.</summary>
    internal static SeccompProfile Default => Docker.Value;

    /// <summary>Reads a profile file (<c>--security-opt seccomp=…</c>).</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    internal static SeccompProfile Parse(ReadOnlySpan<byte> json)
    {
        var profile = JsonSerializer.Deserialize(json, SeccompJson.Default.SeccompProfile) ?? throw new JsonException("the seccomp profile is null");
        if (!profile.ArchMap.IsEmpty && !profile.Architectures.IsEmpty)
            throw new JsonException("both 'architectures' and 'archMap' are given: use one of them");
        if (!string.IsNullOrEmpty(profile.ListenerPath))
            throw new JsonException("'listenerPath' does not work: nothing here answers the calls that it would be told of");
        foreach (var rule in profile.Syscalls)
            rule.Check();
        return profile;
    }

    /// <summary>The filter for a container with these capabilities on this kernel, on x86-64.</summary>
    internal OciSeccomp For(IReadOnlySet<string> capabilities, Version kernel) => new()
    {
        DefaultAction = DefaultAction,
        DefaultErrnoRet = DefaultErrnoRet,
        Flags = Flags,
        Architectures = !Architectures.IsEmpty ? Architectures : [.. ArchMap.Where(a => a.Architecture == "SCMP_ARCH_X86_64").SelectMany(a => (a.SubArchitectures ?? []).Prepend(a.Architecture))],
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

    /// <summary>The old way of naming one call.</summary>
    public string? Name { get; init; }

    internal void Check()
    {
        if (!string.IsNullOrEmpty(Name) && !Names.IsEmpty)
            throw new JsonException("both 'name' and 'names' are given in one rule: use one of them");
        if (string.IsNullOrEmpty(Name) && Names.IsEmpty)
            throw new JsonException("a rule names no system call");
        foreach (var condition in new[] { Includes, Excludes })
        {
            if (condition?.MinKernel is { } kernel && (kernel.Split('.').Length != 2 || !Version.TryParse(kernel, out _)))
                throw new JsonException($"the kernel version '{kernel}' is not MAJOR.MINOR");
        }
    }

    internal bool Holds(IReadOnlySet<string> capabilities, Version kernel) =>
        Includes?.Included(capabilities, kernel, Architecture) != false
        && Excludes?.Excluded(capabilities, kernel, Architecture) != true;

    internal OciSyscall ToOci() => new() { Names = string.IsNullOrEmpty(Name) ? Names : [Name], Action = Action, ErrnoRet = ErrnoRet, Args = Args };
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

/// <remarks>Go reads names in any case, and profiles in the field rely on it.</remarks>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(SeccompProfile))]
internal sealed partial class SeccompJson : JsonSerializerContext;
