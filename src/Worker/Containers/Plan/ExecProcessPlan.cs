using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>A further program of a container: what the container's own has, where the request does not say otherwise.</summary>
internal static class ExecProcessPlan
{
    /// <summary>Everything that is wrong with a request.</summary>
    internal static void Check(ExecCreateRequest request, List<Problem> problems)
    {
        if (request.Cmd is [] or ["", ..])
            problems.Add(new Problem("Cmd", "No exec command specified"));
        if (!string.IsNullOrEmpty(request.WorkingDir) && !request.WorkingDir.StartsWith('/'))
            problems.Add(new Problem("WorkingDir", $"the working directory '{request.WorkingDir}' is invalid, it needs to be an absolute path"));
        foreach (var variable in request.Env.Where(v => v.Length == 0 || v[0] == '='))
            problems.Add(new Problem("Env", $"invalid environment variable: '{variable}'"));
        ConsoleSizes.Check(request.ConsoleSize, "ConsoleSize", problems);
    }

    /// <param name="request">The request.</param>
    /// <param name="container">The container's own process for the user of the request.</param>
    /// <param name="config">The container's.</param>
    /// <param name="hostname">The container's.</param>
    /// <param name="home">The user's home.</param>
    internal static OciProcess Of(ExecCreateRequest request, OciProcess container, ContainerConfig config, string hostname, string home) => container with
    {
        Args = [.. request.Cmd],
        Env = EnvironmentPlan.Of(hostname, home, request.Tty, [.. config.Env, .. request.Env]),
        Cwd = string.IsNullOrEmpty(request.WorkingDir) ? container.Cwd : request.WorkingDir,
        Terminal = request.Tty,
        Capabilities = request.Privileged ? new OciCapabilities { Bounding = CapabilityNames.All, Effective = CapabilityNames.All, Permitted = CapabilityNames.All } : container.Capabilities,
    };
}
