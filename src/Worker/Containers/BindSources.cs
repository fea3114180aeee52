using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Worker.Containers;

/// <summary>What a container sees of the host must be there when it starts.</summary>
internal static class BindSources
{
    /// <summary>Makes missing sources of <c>Binds</c> as directories; a missing one of <c>Mounts</c> is the user's mistake, in Docker's words.</summary>
    internal static void Check(HostConfig host)
    {
        var problems = new List<Problem>();
        foreach (var source in MountPlan.Of(host, []).Sources)
        {
            if (Path.Exists(source.Path))
                continue;
            if (source.Create)
                Directory.CreateDirectory(source.Path);
            else
                problems.Add(new Problem(source.Where, $"invalid mount config for type \"bind\": bind source path does not exist: {source.Path}"));
        }

        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
    }
}
