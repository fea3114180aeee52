namespace Orchestrator.Worker;

/// <summary>Where an instance's containers have their cgroups, for who takes the instance down without its daemon.</summary>
internal static class InstanceRecord
{
    private const string Name = "cgroup-root";

    internal static void Write(string dataRoot, string cgroupRoot)
    {
        Directory.CreateDirectory(dataRoot);
        File.WriteAllText(Path.Combine(dataRoot, Name), cgroupRoot);
    }

    internal static string CgroupRoot(string dataRoot)
    {
        var path = Path.Combine(dataRoot, Name);
        var written = File.Exists(path) ? File.ReadAllText(path) : "";
        // A record that was cut off must not make a root of a hierarchy of it.
        return written.EndsWith("/orch-" + InstanceId.Of(dataRoot), StringComparison.Ordinal)
            ? written
            : HostReader.CgroupRoot(null, InstanceId.Of(dataRoot));
    }
}
