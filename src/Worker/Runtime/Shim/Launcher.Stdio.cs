using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>A container's stdin, stdout and stderr: FIFOs, or a terminal.</summary>
internal sealed partial class Launcher
{
    /// <summary>Makes them; the container's ends go into <paramref name="files"/>, what is made goes into <paramref name="undo"/>.</summary>
    private (ContainerOutput Output, ContainerInput? Input) OpenStdio(
        LaunchRequest request, LaunchPlan plan, string own, OpenFiles files, Action<Exception> logFailed, Stack<Action> undo)
    {
        var user = OnHost(request.Spec);
        if (plan.Terminal is { } terminal)
        {
            var master = OpenTerminal(request, terminal, user, files);
            undo.Push(master.Dispose);
            var writer = Fifo.Duplicate(master);
            undo.Push(writer.Dispose);
            return (new ContainerOutput(request.Log, master, null, new OutputSpool(own, SpoolFrom.Terminal), time, logFailed), new ContainerInput(writer, once: false));
        }
        SafeFileHandle? input = null;
        if (request.OpenStdin)
        {
            input = OpenInput(own, user, files);
            undo.Push(input.Dispose);
        }
        else
        {
            files.Borrow(LaunchPlan.Stdin, nothing);
        }
        var output = new ContainerOutput(
            request.Log, OpenFifo(own, LaunchPlan.Stdout, user, files), OpenFifo(own, LaunchPlan.Stderr, user, files),
            new OutputSpool(own, SpoolFrom.Fifos), time, logFailed);
        return (output, input is null ? null : new ContainerInput(input, request.StdinOnce));
    }

    /// <summary>The container's end cannot write, so that it reads an end once nobody else can.</summary>
    private static SafeFileHandle OpenInput(string own, Spec.OciUser user, OpenFiles files)
    {
        var path = $"{own}/{LaunchPlan.Stdin}";
        Fifo.Make(path);
        // Without a reader there is no writer that does not block, without a writer no blocking reader.
        using var first = KernelFile.Open(path, KernelFile.ReadOnly | KernelFile.NonBlocking);
        var writer = KernelFile.Open(path, KernelFile.WriteOnly | KernelFile.NonBlocking);
        files.Own(LaunchPlan.Stdin, KernelFile.Open(path, KernelFile.ReadOnly));
        if (user.Uid != 0 || user.Gid != 0)
            Fifo.Give(writer, user.Uid, user.Gid);
        return writer;
    }

    /// <summary>A devpts that becomes the container's, and its first terminal.</summary>
    private static SafeFileHandle OpenTerminal(LaunchRequest request, TerminalMount mount, Spec.OciUser user, OpenFiles files)
    {
        var groups = request.Spec.Linux.GidMappings;
        var devpts = MountTree.New("devpts", mount.Options.Select(o =>
            o.Key == "gid" && uint.TryParse(o.Value, out var gid) ? KeyValuePair.Create("gid", $"{IdMap.ToHost(groups, gid, "group")}") : o));
        files.Own(LaunchPlan.Devpts, devpts);
        if (mount.Attributes != 0)
            MountTree.SetAttributes(devpts, mount.Attributes, 0, recursive: false, "/dev/pts");
        var master = Terminal.OpenMaster(devpts);
        try
        {
            var slave = Terminal.OpenSlave(master);
            files.Own(EnterPlan.Terminal, slave);
            if (user.Uid != 0)
                Fifo.Give(slave, user.Uid, uint.MaxValue); // the group stays the terminals'
            if (request.Console is { } size)
                Terminal.Resize(master, size.Rows, size.Columns);
            return master;
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>What of a container's traits is not noted is the same for all that have its capabilities.</summary>
    internal Traits TraitsOf(LaunchNote note) =>
        note.DefaultFilterFor is { IsDefault: false } capabilities ? note.Traits with { Filter = DefaultFilter(capabilities) }
        : note.Traits.Filter is { } own ? note.Traits with { Filter = Shared(own) } : note.Traits;
}
