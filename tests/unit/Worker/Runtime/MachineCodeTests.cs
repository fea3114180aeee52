using System.Diagnostics;
using System.Runtime.CompilerServices;
using Orchestrator.Worker.Runtime.Init;
using Orchestrator.Worker.Runtime.Launch;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class MachineCodeTests
{
    [Theory]
    [InlineData("Launch/interpreter.x86-64.s", Interpreter.Code)]
    [InlineData("Init/init.x86-64.s", InitProgram.Code)]
    public void The_bytes_are_what_their_source_says(string source, string code)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/as") && File.Exists("/usr/bin/objcopy"), "binutils is not installed.");
        var work = Directory.CreateTempSubdirectory("orch-asm");
        try
        {
            Run("as", "-o", $"{work}/x.o", Path.Combine(Sources(), source));
            Run("objcopy", "-O", "binary", "-j", ".text", $"{work}/x.o", $"{work}/x.bin");
            Assert.Equal(code, Convert.ToHexStringLower(File.ReadAllBytes($"{work}/x.bin")));
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static string Sources([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../../src/Worker/Runtime"));

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
