using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands;

/// <summary>The flags of a health check, of services and of containers.</summary>
internal sealed class HealthFlags
{
    private readonly Option<string?> _command = Flags.Text("--health-cmd", "Command to run to check health");
    private readonly Option<string?> _interval = Flags.Text("--health-interval", "Time between running the check (ms|s|m|h)", "duration");
    private readonly Option<string?> _retries = Flags.Text("--health-retries", "Consecutive failures needed to report unhealthy", "int");
    private readonly Option<string?> _startInterval = Flags.Text("--health-start-interval", "Time between running the check during the start period (ms|s|m|h)", "duration");
    private readonly Option<string?> _startPeriod = Flags.Text("--health-start-period", "Start period for the container to initialize before counting retries towards unstable (ms|s|m|h)", "duration");
    private readonly Option<string?> _timeout = Flags.Text("--health-timeout", "Maximum time to allow one check to run (ms|s|m|h)", "duration");
    private readonly Option<bool> _none = Flags.Switch("--no-healthcheck", "Disable any container-specified HEALTHCHECK");

    internal IEnumerable<Option> All => [_command, _interval, _retries, _startInterval, _startPeriod, _timeout, _none];

    /// <summary>What was, with what was given; an empty command takes an own one away, so that the image's holds.</summary>
    internal HealthConfig? Apply(Invocation call, HealthConfig? old)
    {
        var given = new Option[] { _command, _interval, _retries, _startInterval, _startPeriod, _timeout }.Any(call.Has);
        if (call.Get(_none))
            return given ? throw new CommandException("--no-healthcheck conflicts with --health-* options") : new HealthConfig { Test = ["NONE"] };
        if (!given)
            return old;
        old ??= new HealthConfig();
        return old with
        {
            Test = call.Get(_command) switch
            {
                null => old.Test is ["NONE", ..] ? [] : old.Test,
                "" => [],
                var command => ["CMD-SHELL", command],
            },
            Interval = Time(call, _interval) ?? old.Interval,
            Timeout = Time(call, _timeout) ?? old.Timeout,
            StartPeriod = Time(call, _startPeriod) ?? old.StartPeriod,
            StartInterval = Time(call, _startInterval) ?? old.StartInterval,
            Retries = Retries(call) ?? old.Retries,
        };
    }

    private int? Retries(Invocation call) => call.Get(_retries) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
        : throw new CommandException($"invalid value '{text}' for --health-retries: it must be a whole number from 0");

    private static TimeSpan? Time(Invocation call, Option<string?> option) => ServiceFlags.Parse(call, option, Durations.Parse);
}
