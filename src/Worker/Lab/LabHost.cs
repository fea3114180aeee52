using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Lab;

/// <summary>Makes hosts and runs programs in them.</summary>
internal static class LabHost
{
    private static readonly Version FirstThatForgets = new(6, 12);

    /// <summary>Makes a host whose groups exist. On failure nothing of it is left; the message names the step.</summary>
    /// <exception cref="LabException">The kernel refused a step.</exception>
    internal static ProcessMark Make(LabHostSpec spec, LabGroups groups)
    {
        using var files = new OpenFiles();
        var (own, system) = (groups.OpenOwn().ToList(), groups.OpenSystem(unified: true).ToList());
        foreach (var (name, file) in own.Concat(system))
            files.Own(name, file);
        files.Own(LabHostPlan.Holder, Self.SealedFile("orch-lab-host", HolderProgram.Image()));
        files.Own(LabHostPlan.Nothing, KernelFile.Open("/dev/null", KernelFile.ReadWrite));
        var steps = LabHostPlan.For(spec with
        {
            Cgroups = groups.Mounts,
            Groups = [.. own.Select(g => g.Name)],
            SystemGroups = [.. system.Select(g => g.Name)],
            Hidden = [.. Mounts.Below("/run").Concat(Mounts.Below("/sys")).Concat(Mounts.Below("/proc")).Concat(Strangers())],
        });
        using var unified = groups.OpenUnified(system: false);
        return Leave(Run(steps, files, LabHostPlan.Namespaces, unified, $"make host {spec.Hostname}"));
    }

    /// <summary>
    /// What other engines of the machine have mounted for their containers: a copy in the host would keep it, and the namespaces that it names, when
    /// its owner has taken it away.
    /// </summary>
    private static IEnumerable<string> Strangers() =>
        Mounts.OfTypes("nsfs").Concat(Mounts.OfTypes("overlay").Where(p => p.StartsWith("/var/", StringComparison.Ordinal) || p.StartsWith("/tmp/", StringComparison.Ordinal)));

    /// <summary>
    /// Lets a program go on behind us: when it ends while we are there it is collected, since a host's end waits for each of its processes to be
    /// collected, also by a parent outside; after us that is the machine's own first process.
    /// </summary>
    internal static ProcessMark Leave(LaunchedProcess process)
    {
        var mark = ProcessMark.Of(process.Pid);
        new Thread(() =>
        {
            using (process.PidFd)
                PidFd.Wait(process.PidFd);
        }, maxStackSize: 128 << 10) { Name = $"collect {process.Pid}", IsBackground = true }.Start();
        return mark;
    }

    /// <summary>Runs a program in a host; the caller waits for it and closes its descriptor.</summary>
    /// <exception cref="LabException">The host is not there, or the program cannot be run in it.</exception>
    internal static LaunchedProcess Enter(ProcessMark host, LabGroups groups, LabEntry entry)
    {
        using var held = host.Find() ?? throw new LabException("the host is not running");
        using var files = new OpenFiles();
        var system = groups.OpenSystem(unified: false).ToList();
        foreach (var (name, file) in system)
            files.Own(name, file);
        files.Borrow(LabEnterPlan.Host, held);
        if (entry.Log is { } log)
        {
            files.Borrow(LabEnterPlan.Log, log);
            files.Own(LabEnterPlan.Nothing, KernelFile.Open("/dev/null", KernelFile.ReadOnly));
        }

        using var unified = groups.OpenUnified(system: true);
        try
        {
            using var program = new LaunchProgram(LabEnterPlan.For(entry, system.Select(g => g.Name)), files.Numbers);
            return program.Run(0, Number(unified));
        }
        catch (LaunchFailedException failed)
        {
            var why = LabEnterPlan.Explain(entry, failed);
            throw new LabException(why.Message, why) { ExitCode = why.ExitCode is 126 or 127 ? why.ExitCode : 1 };
        }
    }

    /// <summary>
    /// Ends the connections of a host that has no process any more: the kernel keeps a network namespace for what they have still to say, for minutes when
    /// nobody answers. A kernel that cannot (see <see cref="SocketDiagnostics.DestroyConnections"/>) takes that time.
    /// </summary>
    internal static async Task ForgetConnectionsAsync(SafeFileHandle ns)
    {
        if (Environment.OSVersion.Version < FirstThatForgets)
            return;
        using var thread = new NamespaceThread("lab network");
        await thread.RunAsync(() =>
        {
            Namespaces.EnterNetwork(ns);
            using var diagnostics = NetlinkSocket.Open(NetlinkFamily.SocketDiagnostics);
            SocketDiagnostics.DestroyConnections(diagnostics);
        });
    }

    /// <summary>Does something with the host's network namespace.</summary>
    internal static async Task InNetworkAsync(ProcessMark host, Func<SafeFileHandle, Task> act)
    {
        using var ns = OpenNetwork(host);
        await act(ns);
    }

    /// <summary>The host's network namespace.</summary>
    internal static SafeFileHandle OpenNetwork(ProcessMark host)
    {
        using var held = host.Find() ?? throw new LabException("the host is not running");
        var ns = Namespaces.Open($"/proc/{host.Pid}/ns/net");
        if (!PidFd.HasEnded(held))
            return ns;
        ns.Dispose();
        throw new LabException("the host is not running");
    }

    private static LaunchedProcess Run(
        System.Collections.Immutable.ImmutableArray<LaunchStep> steps, OpenFiles files, ulong namespaces, SafeFileHandle? unified, string what)
    {
        try
        {
            using var program = new LaunchProgram(steps, files.Numbers);
            return program.Run(namespaces, Number(unified));
        }
        catch (Exception failed) when (failed is LaunchFailedException or LinuxException)
        {
            throw new LabException($"{what}: {failed.Message}", failed);
        }
    }

    private static int? Number(SafeFileHandle? file) => file is null ? null : (int)file.DangerousGetHandle();
}
