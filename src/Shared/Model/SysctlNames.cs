namespace Orchestrator.Shared.Model;

/// <summary>Which kernel settings a container has for itself (moby, <c>opts.ValidateSysctl</c>).</summary>
public static class SysctlNames
{
    private static readonly string[] OfIpc =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

    /// <param name="name">With dots, as in <c>net.core.somaxconn</c>.</param>
    /// <param name="ownNetwork">The container has a network namespace of its own.</param>
    public static bool IsNamespaced(string name, bool ownNetwork) =>
        (name.StartsWith("net.", StringComparison.Ordinal) && ownNetwork)
        || name.StartsWith("fs.mqueue.", StringComparison.Ordinal) || OfIpc.Contains(name);
}
