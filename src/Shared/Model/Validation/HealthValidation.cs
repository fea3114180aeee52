namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges a health check, wherever it stands (moby, <c>validateHealthCheck</c>).</summary>
public static class HealthValidation
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    public static IEnumerable<Problem> Check(HealthConfig? health, string where)
    {
        if (health is null)
            yield break;
        var kind = health.Test.Count > 0 ? health.Test[0] : "";
        if (health.Test.Count > 0 && kind is not ("NONE" or "CMD" or "CMD-SHELL"))
            yield return new(where + ".Test", $"health check '{kind}' is unknown: its first word is CMD, CMD-SHELL or NONE");
        else if (kind is "CMD" or "CMD-SHELL" && health.Test.Count == 1)
            yield return new(where + ".Test", $"a health check {kind} needs a command");
        else if (kind is "CMD-SHELL" && health.Test.Count > 2)
            yield return new(where + ".Test", "a health check CMD-SHELL has one text for the shell; write CMD for a list of words");
        foreach (var (name, time) in Times(health))
        {
            if (time != TimeSpan.Zero && time < Least)
                yield return new($"{where}.{name}", $"{name} in Healthcheck cannot be less than one millisecond");
        }

        if (health.Retries < 0)
            yield return new(where + ".Retries", "Retries in Healthcheck cannot be negative");
    }

    private static IEnumerable<(string Name, TimeSpan Time)> Times(HealthConfig health) =>
    [
        ("Interval", health.Interval), ("Timeout", health.Timeout), ("StartPeriod", health.StartPeriod), ("StartInterval", health.StartInterval),
    ];
}
