using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Serialization;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>What a lab consists of, as its file <c>lab.json</c> keeps it.</summary>
internal sealed record LabState
{
    public required string Name { get; init; }

    /// <summary>The machine's boot in which the processes below run; in another one none of them does.</summary>
    public required string Boot { get; init; }

    /// <summary>The hosts' network, such as 192.168.200.0/24.</summary>
    public required string Subnet { get; init; }

    /// <summary>Further arguments of every daemon.</summary>
    public ImmutableArray<string> DaemonArguments { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>All hosts were raised and joined; else a command broke off in between.</summary>
    public bool Complete { get; init; }

    public LabHolder? Switch { get; init; }
    public ImmutableArray<LabHostState> Hosts { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<LabCut> Cuts { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonIgnore]
    internal IPNetwork Network => IPNetwork.Parse(Subnet);

    /// <summary>The switch's own.</summary>
    [JsonIgnore]
    internal IPAddress Gateway => LabUpPlan.Address(Network, 1);

    /// <exception cref="CommandException">There is none of the name.</exception>
    internal LabHostState Host(string name) => Hosts.FirstOrDefault(h => h.Name == name)
        ?? throw new CommandException($"there is no host '{name}' in lab '{Name}': it has {string.Join(", ", Hosts.Select(h => h.Name))}");

    internal LabState With(LabHostState host) => this with { Hosts = [.. Hosts.Select(h => h.Name == host.Name ? host : h)] };

    /// <summary>The state in the given boot: processes of another one are gone.</summary>
    internal LabState In(string boot) => Boot == boot ? this : this with
    {
        Boot = boot,
        Switch = null,
        Hosts = [.. Hosts.Select(h => h with { Holder = null, Daemon = null })],
    };
}

internal sealed record LabHostState
{
    public required string Name { get; init; }
    public required string Address { get; init; }

    /// <summary>It was raised as a manager; what it is today the cluster knows.</summary>
    public bool Manager { get; init; }

    /// <summary>Null: without power.</summary>
    public LabHolder? Holder { get; init; }

    public ProcessMark? Daemon { get; init; }
}

/// <summary>A process that holds a host's namespaces.</summary>
/// <param name="Process">It.</param>
/// <param name="Namespaces">As <c>/proc/PID/ns</c> names them, <c>net:[4026532008]</c>: who is in them after its end is known by that.</param>
internal sealed record LabHolder(ProcessMark Process, ImmutableArray<string> Namespaces);

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(LabState))]
internal sealed partial class LabJson : JsonSerializerContext;
