using System.Collections.Immutable;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Further processes in containers that run.</summary>
internal sealed partial class Launcher
{
    /// <summary>Runs a program in the container. On failure nothing of it is left.</summary>
    internal (LaunchedProcess Process, StdioFiles Stdio, IReadOnlyList<string> Warnings) Exec(Container container, ExecLaunch launch)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        using var files = new OpenFiles();
        StdioFiles? stdio = null;
        try
        {
            var groups = container.Cgroup.OpenJoinFiles().ToList();
            foreach (var (name, file) in groups)
                files.Own(name, file);
            files.Borrow(EnterPlan.Container, container.PidFd);
            stdio = StdioFiles.Make(launch, container, files, nothing);
            var steps = EnterPlan.For(container.Id, launch, host, groups.Select(g => g.Name), container.Traits, warnings);
            using var unified = container.Cgroup.OpenUnified();
            using var program = new LaunchProgram(steps, files.Numbers);
            var process = program.Run(0, unified is null ? null : (int)unified.DangerousGetHandle(), container.PidFd);
            return (process, stdio, warnings);
        }
        catch (Exception error)
        {
            stdio?.Dispose();
            throw error switch
            {
                LaunchFailedException failed => EnterPlan.Explain(launch.Process, failed),
                RuntimeException known => known,
                LinuxException e when container.Exit is not null || e.Errno == Step.NoProcess => EnterPlan.Ended(container.Id),
                // In a pid namespace whose first process is ending nobody is born any more, and the kernel says it thus.
                LinuxException { Errno: Step.NoMemory } => new RuntimeException($"exec in {container.Id}: the container is ending, or the host is out of memory", error) { ExitCode = 126 },
                _ => new RuntimeException($"exec in {container.Id}: {error.Message}", error) { ExitCode = 126 },
            };
        }
    }
}
