using System.Runtime.InteropServices;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Launch;

/// <summary>Runs launch programs in a new process; see interpreter.x86-64.s beside this file for the machine code's source.</summary>
internal static class Interpreter
{
    /// <summary>The assembled interpreter, in hexadecimal.</summary>
    internal const string Code =
        "534154415541564157488b1f4c8b6f08488b7718488b7f10b8b30100000f054885c0740a415f415e415d415c5bc3440f" +
        "b77302488b7b08488b7310488b53184c8b53204c8b43284c8b4b3041f7c6010000007403488b3f41f7c6020000007403" +
        "488b3641f7c6040000007403488b1241f7c60800000074034d8b1241f7c61000000074034d8b0041f7c6200000007403" +
        "4d8b090fb7030f054c8b7b3841f7c600010000753f4d85ff7403498907483d01f0ffff723e4889c1f7d93a4b0474343a" +
        "4b05742f3a4b06742a3a4b0774254989450049895d08bf7f000000b8e70000000f05ebf24885c078e575084c89fbe93b" +
        "ffffff4883c340e932ffffff";

    private static readonly Lazy<MachineCode> Loaded = new(Load);

    /// <summary>Clones and lets the child walk the program. The child's pid, or minus the errno of clone3.</summary>
    internal static unsafe long Run(void* context) => Loaded.Value.Call(context);

    private static MachineCode Load() => RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? new MachineCode(Convert.FromHexString(Code))
        : throw new PlatformNotSupportedException(
            $"Containers can be launched on x86-64 only so far; this host is {RuntimeInformation.ProcessArchitecture}.");
}
