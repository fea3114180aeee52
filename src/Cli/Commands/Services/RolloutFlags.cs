using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>How tasks are replaced: <c>--update-…</c> and <c>--rollback-…</c> say the same of two different occasions.</summary>
internal sealed class RolloutFlags
{
    private readonly string[] _actions;
    private readonly Option<string?> _parallelism;
    private readonly Option<string?> _delay;
    private readonly Option<string?> _action;
    private readonly Option<string?> _ratio;
    private readonly Option<string?> _monitor;
    private readonly Option<string?> _order;

    /// <param name="prefix"><c>update</c> or <c>rollback</c>.</param>
    /// <param name="noun">What happens, in the help's words.</param>
    /// <param name="actions">What may be done when it fails.</param>
    internal RolloutFlags(string prefix, string noun, params string[] actions)
    {
        _actions = actions;
        _parallelism = Flags.Text($"--{prefix}-parallelism", $"Maximum number of tasks {(prefix == "update" ? "updated" : "rolled back")} simultaneously (0 = all at once)", "uint");
        _delay = Flags.Text($"--{prefix}-delay", $"Delay between task {noun}s (ns|us|ms|s|m|h)", "duration");
        _action = Flags.Text($"--{prefix}-failure-action", $"Action on {noun} failure ({string.Join(", ", actions)})");
        _ratio = Flags.Text($"--{prefix}-max-failure-ratio", $"Failure rate to tolerate during a {noun}", "float");
        _monitor = Flags.Text($"--{prefix}-monitor", $"Duration after each task {noun} to monitor for failure (ns|us|ms|s|m|h)", "duration");
        _order = Flags.Text($"--{prefix}-order", $"Order of a {noun} (start-first, stop-first)");
    }

    internal IEnumerable<Option> All => [_parallelism, _delay, _action, _ratio, _monitor, _order];

    internal UpdateConfig? Apply(Invocation call, UpdateConfig? old)
    {
        if (!All.Any(call.Has))
            return old;
        old ??= new UpdateConfig { Parallelism = 1 };
        return old with
        {
            Parallelism = ServiceFlags.Count(call, _parallelism) ?? old.Parallelism,
            Delay = ServiceFlags.Parse(call, _delay, Durations.Parse) ?? old.Delay,
            FailureAction = ServiceFlags.OneOf(call, _action, _actions) ?? old.FailureAction,
            MaxFailureRatio = Ratio(call) ?? old.MaxFailureRatio,
            Monitor = ServiceFlags.Parse(call, _monitor, Durations.Parse) ?? old.Monitor,
            Order = ServiceFlags.OneOf(call, _order, "start-first", "stop-first") ?? old.Order,
        };
    }

    private double? Ratio(Invocation call) => call.Get(_ratio) is not { } text ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1 ? ratio
        : throw new CommandException($"invalid value '{text}' for {_ratio.Name}: it must be a number from 0 to 1");
}
