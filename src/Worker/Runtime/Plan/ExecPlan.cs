using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>The last steps: the program is looked for in the container's PATH by executing it, as execvp(3) does.</summary>
internal static class ExecPlan
{
    internal const string LastStep = "find the program";

    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const string ProgramLabel = "program";
    private const int ForkSharing = 0x4111; // CLONE_VM, CLONE_VFORK, SIGCHLD
    private const int InitDescriptor = 3;
    private const int EmptyPath = 0x1000;
    private const int AtCwd = -100;
    private const int LastSignal = 31; // of those that have names; nobody ignores the real-time ones
    private const int Kill = 9;
    private const int Stop = 19;
    private const int SetMask = 2;
    private const int MaskSize = 8;
    private const int BadDescriptor = -1;
    private const int BadFormat = 8;
    private const int SetForeground = 0x5410;

    /// <summary>
    /// No signal is ignored any more: a program would inherit that. .NET ignores SIGPIPE, and a daemon started by nohup(1) or in the
    /// background of a script has SIGHUP, SIGINT and SIGQUIT ignored, which a terminal's hang-up and keys need.
    /// </summary>
    internal static ImmutableArray<LaunchStep> Heeded { get; } =
    [
        .. Enumerable.Range(1, LastSignal).Where(signal => signal is not (Kill or Stop))
            .Select(signal => new LaunchStep($"heed signal {signal}", CallNumber.rt_sigaction, signal, Operand.Bytes([.. new byte[32]]), 0, MaskSize)),
    ];

    internal static ImmutableArray<LaunchStep> For(OciProcess process, bool init)
    {
        if (process.Args.IsEmpty || process.Args[0].Length == 0)
            throw new RuntimeException("A container needs a program to run.") { ExitCode = 127 };
        var candidates = Candidates(process);
        var arguments = Operand.Texts(process.Args);
        var environment = Operand.Texts(process.Env);
        ImmutableArray<LaunchStep> before = init
            ?
            [
                // Plain clone: Docker's filter answers "no such call" to clone3.
                new LaunchStep("fork the program from the init", CallNumber.clone, ForkSharing, 0, 0, 0, 0) { JumpWhenZero = ProgramLabel },
                // Signals stay blocked: the init waits for them.
                new LaunchStep("execute the init", CallNumber.execveat, InitDescriptor, "", Operand.Texts(process.Args.Insert(0, "orch-init")), Operand.Texts([]), EmptyPath),
                new LaunchStep("setpgid", CallNumber.setpgid, 0, 0) { Label = ProgramLabel },
                // Keys' signals are for the program: it is the second process of a new namespace. SIGTTOU is still blocked.
                .. process.Terminal
                    ? [new LaunchStep("take the foreground", CallNumber.ioctl, 0, SetForeground, Operand.Bytes([2, 0, 0, 0]))]
                    : Step.None,
            ]
            : [];
        return
        [
            .. Heeded,
            .. before,
            new LaunchStep("unblock signals", CallNumber.rt_sigprocmask, SetMask, Operand.Bytes([.. new byte[MaskSize]]), 0, MaskSize),
            .. candidates.Select((path, i) => new LaunchStep($"exec {path}", CallNumber.execve, path, arguments, environment)
            {
                Keep = $"exec {i}",
                Tolerate = [Step.NoEntry, Step.NotDirectory, Step.AccessDenied],
            }),
            // Only when none could be executed: is it there at all?
            .. candidates.Select((path, i) => new LaunchStep($"look at {path}", CallNumber.faccessat, AtCwd, path, 0)
            {
                Keep = $"seen {i}",
                Tolerate = [Step.NoEntry, Step.NotDirectory, Step.AccessDenied, Step.LoopedLinks],
            }),
            new LaunchStep(LastStep, CallNumber.close, BadDescriptor),
        ];
    }

    /// <summary>Says why a launch failed, in runc's words and with Docker's exit codes where they are known to people.</summary>
    internal static RuntimeException Explain(OciProcess process, LaunchFailedException failure)
    {
        var program = process.Args.IsEmpty ? "" : process.Args[0];
        if (failure.Step.Call == CallNumber.execve)
            return new RuntimeException(failure.Errno == BadFormat ? $"exec {program}: exec format error" : failure.Message, failure) { ExitCode = 126 };
        if (failure.Step.Name != LastStep)
            return new RuntimeException(failure.Message, failure);

        var tried = Enumerable.Range(0, Candidates(process).Length).Select(i => (Exec: -failure.Results[$"exec {i}"], Seen: -failure.Results[$"seen {i}"])).ToList();
        if (tried.Any(t => t.Exec == Step.AccessDenied && t.Seen == 0))
            return new RuntimeException($"exec: \"{program}\": permission denied", failure) { ExitCode = 126 };
        if (tried.Any(t => t.Seen == 0))
            return new RuntimeException($"exec {program}: no such file or directory (its interpreter is missing)", failure) { ExitCode = 127 };
        return new RuntimeException(
            program.Contains('/', StringComparison.Ordinal)
                ? $"exec: \"{program}\": stat {program}: no such file or directory"
                : $"exec: \"{program}\": executable file not found in $PATH",
            failure)
        { ExitCode = 127 };
    }

    private static ImmutableArray<string> Candidates(OciProcess process)
    {
        var program = process.Args[0];
        if (program.Contains('/', StringComparison.Ordinal))
            return [program];
        var path = process.Env.LastOrDefault(e => e.StartsWith("PATH=", StringComparison.Ordinal)) is { } set ? set[5..] : DefaultPath;
        return [.. path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => $"{directory.TrimEnd('/')}/{program}")];
    }
}
