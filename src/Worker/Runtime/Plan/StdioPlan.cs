using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>What a new session's first process reads from and writes to: three files, or the terminal that becomes its session's.</summary>
internal static class StdioPlan
{
    private const int SetControllingTerminal = 0x540e;

    internal static ImmutableArray<LaunchStep> For(bool terminal) => terminal
        ?
        [
            new LaunchStep("take the terminal", CallNumber.ioctl, Operand.File(EnterPlan.Terminal), SetControllingTerminal, 0),
            .. Redirect(EnterPlan.Terminal, EnterPlan.Terminal, EnterPlan.Terminal),
        ]
        : [.. Redirect(LaunchPlan.Stdin, LaunchPlan.Stdout, LaunchPlan.Stderr)];

    private static IEnumerable<LaunchStep> Redirect(string input, string output, string error) =>
    [
        new("redirect stdin", CallNumber.dup2, Operand.File(input), 0),
        new("redirect stdout", CallNumber.dup2, Operand.File(output), 1),
        new("redirect stderr", CallNumber.dup2, Operand.File(error), 2),
    ];
}
