using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary>The config of an image made of a container.</summary>
internal static class CommitConfig
{
    /// <param name="container">What the container runs with.</param>
    /// <param name="changed">What the caller says instead, member by member; null: nothing.</param>
    internal static ImageConfig Of(ContainerConfig container, ContainerConfig? changed) => new()
    {
        User = Text(changed?.User) ?? Text(container.User),
        ExposedPorts = Keys((changed is { ExposedPorts.Count: > 0 } ? changed : container).ExposedPorts.Keys),
        Env = List((changed is { Env.Count: > 0 } ? changed : container).Env),
        Entrypoint = List(changed?.Entrypoint ?? container.Entrypoint),
        Cmd = List(changed?.Cmd ?? container.Cmd),
        Healthcheck = Health(changed?.Healthcheck ?? container.Healthcheck),
        Volumes = Keys((changed is { Volumes.Count: > 0 } ? changed : container).Volumes.Keys),
        WorkingDir = Text(changed?.WorkingDir) ?? Text(container.WorkingDir),
        Labels = (changed is { Labels.Count: > 0 } ? changed : container).Labels is { Count: > 0 } labels ? labels.ToImmutableSortedDictionary(StringComparer.Ordinal) : null,
        StopSignal = Text(changed?.StopSignal) ?? Text(container.StopSignal),
        Shell = List(changed?.Shell ?? container.Shell),
    };

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static ImmutableArray<string>? List(IReadOnlyList<string>? items) => items is { Count: > 0 } ? [.. items] : null;

    private static ImmutableSortedDictionary<string, Images.EmptyObject>? Keys(IEnumerable<string> keys)
    {
        var all = keys.ToImmutableSortedDictionary(k => k, _ => new Images.EmptyObject(), StringComparer.Ordinal);
        return all.IsEmpty ? null : all;
    }

    private static ImageHealthcheck? Health(HealthConfig? health) => health is not { Test.Count: > 0 } ? null : new ImageHealthcheck
    {
        Test = [.. health.Test],
        Interval = Nanoseconds(health.Interval),
        Timeout = Nanoseconds(health.Timeout),
        StartPeriod = Nanoseconds(health.StartPeriod),
        StartInterval = Nanoseconds(health.StartInterval),
        Retries = health.Retries == 0 ? null : health.Retries,
    };

    private static long? Nanoseconds(TimeSpan span) => span == default ? null : span.Ticks * TimeSpan.NanosecondsPerTick;
}
