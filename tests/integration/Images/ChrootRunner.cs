using System.Collections.Immutable;
using System.Diagnostics;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Tests.Integration.Images;

/// <summary>Runs RUN steps with the host's unshare, mount and chroot: enough to see what a step changes.</summary>
internal sealed class ChrootRunner : IBuildRunner
{
    private const string Script = """
        set -e
        mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK,redirect_dir=off,metacopy=off" "$MERGED"
        exec chroot "$MERGED" /bin/busybox env -i "$@"
        """;

    public int Runs { get; private set; }

    public ImmutableArray<BuildStep> Steps { get; private set; } = [];

    public async Task<int> RunAsync(BuildStep step, BuildOutput output, CancellationToken stop)
    {
        Runs++;
        Steps = Steps.Add(step);
        var merged = Directory.CreateDirectory(step.UpperDir + ".merged").FullName;
        var start = new ProcessStartInfo("unshare") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--mount", "--propagation", "private", "/bin/sh", "-c", Script, "sh", .. step.Env,
            "/bin/busybox", "sh", "-c", "cd \"$0\" && exec \"$@\"", step.Cwd, .. step.Argv])
            start.ArgumentList.Add(argument);
        start.Environment["LOWER"] = string.Join(':', step.LowerDirs);
        start.Environment["UPPER"] = step.UpperDir;
        start.Environment["WORK"] = step.WorkDir;
        start.Environment["MERGED"] = merged;
        using var process = Process.Start(start)!;
        var gate = new SemaphoreSlim(1);
        async Task Pump(Stream from, BuildStream name)
        {
            var buffer = new byte[4096];
            for (int read; (read = await from.ReadAsync(buffer, stop)) > 0;)
            {
                await gate.WaitAsync(stop);
                output(name, buffer.AsSpan(0, read));
                gate.Release();
            }
        }
        await Task.WhenAll(Pump(process.StandardOutput.BaseStream, BuildStream.Stdout), Pump(process.StandardError.BaseStream, BuildStream.Stderr));
        await process.WaitForExitAsync(stop);
        return process.ExitCode;
    }
}
