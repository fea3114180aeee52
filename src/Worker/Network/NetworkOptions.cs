using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Network;

/// <summary>Where and under which name one daemon's networks live.</summary>
internal sealed record NetworkOptions
{
    /// <summary>Six lower-case hex digits; link and nft table names derive from it, so that several daemons share a machine.</summary>
    public required string InstanceId
    {
        get;
        init => field = value.Length == 6 && value.All(char.IsAsciiHexDigitLower)
            ? value
            : throw new ArgumentException($"instance id '{value}' is not six lower-case hex digits");
    }

    public required string ExecRoot { get; init; }

    public required string DataRoot { get; init; }

    /// <summary>The namespace that plays the host; null: the process's own.</summary>
    public string? HostNetnsPath { get; init; }

    /// <summary>Makes a network namespace that belongs to the user namespace at the path.</summary>
    public Func<string, SafeFileHandle> MakeOwned { get; init; } = path => throw new NetworkException($"no network can be made for the user namespace {path} here");

    /// <summary>How many sandboxes are made ahead of their use.</summary>
    public int WarmSandboxes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 8;
}
