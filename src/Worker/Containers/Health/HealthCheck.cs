using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Containers.Health;

/// <summary>A container's health check with Docker's defaults filled in.</summary>
internal sealed record HealthCheck
{
    /// <summary>What is run inside the container.</summary>
    public required ImmutableArray<string> Command { get; init; }

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
    public int Retries { get; init; } = 3;
    public TimeSpan StartPeriod { get; init; }
    public TimeSpan StartInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Null: nothing is checked.</summary>
    internal static HealthCheck? Of(ContainerConfig config)
    {
        if (config.Healthcheck is not { Test.Count: > 1 } asked || asked.Test[0] == "NONE")
            return null;
        var words = asked.Test.Skip(1);
        var defaults = new HealthCheck { Command = [] };
        IReadOnlyList<string> shell = config.Shell is { Count: > 0 } own ? own : ["/bin/sh", "-c"];
        return new HealthCheck
        {
            Command = asked.Test[0] == "CMD-SHELL" ? [.. shell, .. words] : [.. words],
            Interval = Given(asked.Interval, defaults.Interval),
            Timeout = Given(asked.Timeout, defaults.Timeout),
            Retries = asked.Retries > 0 ? asked.Retries : defaults.Retries,
            StartPeriod = asked.StartPeriod,
            StartInterval = Given(asked.StartInterval, defaults.StartInterval),
        };
    }

    /// <summary>What a request does not say comes from the image, field by field (moby, <c>runconfig</c> merge).</summary>
    internal static HealthConfig? Merge(HealthConfig? asked, ImageHealthcheck? image)
    {
        if (image is null)
            return asked;
        asked ??= new HealthConfig();
        return asked with
        {
            Test = asked.Test.Count > 0 ? asked.Test : image.Test is { IsDefault: false } test ? test : [],
            Interval = Given(asked.Interval, Time(image.Interval)),
            Timeout = Given(asked.Timeout, Time(image.Timeout)),
            StartPeriod = Given(asked.StartPeriod, Time(image.StartPeriod)),
            StartInterval = Given(asked.StartInterval, Time(image.StartInterval)),
            Retries = asked.Retries != 0 ? asked.Retries : image.Retries ?? 0,
        };
    }

    private static TimeSpan Given(TimeSpan asked, TimeSpan otherwise) => asked == TimeSpan.Zero ? otherwise : asked;

    private static TimeSpan Time(long? nanoseconds) => TimeSpan.FromTicks((nanoseconds ?? 0) / TimeSpan.NanosecondsPerTick);
}
