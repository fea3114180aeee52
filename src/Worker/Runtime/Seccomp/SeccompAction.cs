namespace Orchestrator.Worker.Runtime.Seccomp;

/// <summary>Verdicts of a filter (linux/seccomp.h).</summary>
internal static class SeccompAction
{
    internal const uint Allow = 0x7fff0000;
    internal const uint Errno = 0x00050000;
    internal const uint KillProcess = 0x80000000;
    internal const uint Mask = 0xffff0000;

    private const uint KillThread = 0;
    private const uint Trap = 0x00030000;
    private const uint Trace = 0x7ff00000;
    private const uint Log = 0x7ffc0000;
    private const uint NotPermitted = 1;

    internal static uint Parse(string action, uint? errno) => action switch
    {
        "SCMP_ACT_ALLOW" => Allow,
        "SCMP_ACT_ERRNO" => Errno | ((errno ?? NotPermitted) & 0xffff),
        "SCMP_ACT_TRACE" => Trace | ((errno ?? NotPermitted) & 0xffff),
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => KillThread,
        "SCMP_ACT_KILL_PROCESS" => KillProcess,
        "SCMP_ACT_TRAP" => Trap,
        "SCMP_ACT_LOG" => Log,
        _ => throw new RuntimeException($"The seccomp action {action} is not supported."),
    };
}
