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
            var process = program.Run(0, unified is null ? null : (int)unified.DangerousGetHandle());
            return (process, stdio, warnings);
        }
        catch (Exception error)
        {
            stdio?.Dispose();
            throw error switch
            {
                LaunchFailedException failed => EnterPlan.Explain(launch.Process, failed),
                RuntimeException known => known,
                LinuxException when container.Exit is not null => EnterPlan.Ended(container.Id),
                _ => new RuntimeException($"exec in {container.Id}: {error.Message}", error) { ExitCode = 126 },
            };
        }
    }
}
