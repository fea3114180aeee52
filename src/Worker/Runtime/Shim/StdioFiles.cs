using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// The ends of an exec's stdio that are not the program's. They are handed to the daemon and not kept: with it goes whatever the program waits for,
/// and the shim carries none of its bytes.
/// </summary>
internal sealed class StdioFiles : IDisposable
{
    /// <summary>Only with a terminal: it is all three.</summary>
    public SafeFileHandle? Master { get; init; }

    public SafeFileHandle? Input { get; init; }
    public SafeFileHandle? Output { get; init; }
    public SafeFileHandle? Error { get; init; }

    /// <summary>In the order in which they are sent.</summary>
    internal ImmutableArray<SafeFileHandle> All => [.. new[] { Master, Input, Output, Error }.OfType<SafeFileHandle>()];

    /// <summary>What <see cref="All"/> gave, after its journey.</summary>
    internal static StdioFiles Received(ExecLaunch launch, ImmutableArray<SafeFileHandle> files)
    {
        if (launch.Process.Terminal)
            return new StdioFiles { Master = files[0] };
        var next = 0;
        return new StdioFiles
        {
            Input = launch.Stdin ? files[next++] : null,
            Output = launch.Stdout ? files[next++] : null,
            Error = launch.Stderr ? files[next] : null,
        };
    }

    /// <summary>Pipes, or a terminal of the container's; the program's ends go into <paramref name="files"/>.</summary>
    internal static StdioFiles Make(ExecLaunch launch, Container container, OpenFiles files, SafeFileHandle nothing)
    {
        if (launch.Process.Terminal)
            return MakeTerminal(launch, container, files);
        SafeFileHandle? input = null, output = null, error = null;
        try
        {
            input = Pipe(launch.Stdin, LaunchPlan.Stdin, programReads: true);
            output = Pipe(launch.Stdout, LaunchPlan.Stdout, programReads: false);
            error = Pipe(launch.Stderr, LaunchPlan.Stderr, programReads: false);
            return new StdioFiles { Input = input, Output = output, Error = error };
        }
        catch
        {
            input?.Dispose();
            output?.Dispose();
            error?.Dispose();
            throw;
        }

        SafeFileHandle? Pipe(bool wanted, string name, bool programReads)
        {
            if (!wanted)
            {
                files.Borrow(name, nothing);
                return null;
            }
            var (reader, writer) = KernelFile.Pipe();
            var (theirs, ours) = programReads ? (reader, writer) : (writer, reader);
            files.Own(name, theirs);
            Fifo.DoNotBlock(ours, programReads ? KernelFile.WriteOnly : KernelFile.ReadOnly);
            var (uid, gid) = OnHost(launch, container);
            if (uid != 0 || gid != 0)
                Fifo.Give(theirs, uid, gid);
            return ours;
        }
    }

    public void Dispose()
    {
        foreach (var file in All)
            file.Dispose();
    }

    private static (uint Uid, uint Gid) OnHost(ExecLaunch launch, Container container) => (
        IdMap.ToHost(container.Traits.UserIds, launch.Process.User.Uid, "user"), IdMap.ToHost(container.Traits.GroupIds, launch.Process.User.Gid, "group"));

    private static StdioFiles MakeTerminal(ExecLaunch launch, Container container, OpenFiles files)
    {
        var master = Terminal.OpenMasterOf(container.Pid);
        try
        {
            var slave = Terminal.OpenSlave(master);
            files.Own(EnterPlan.Terminal, slave);
            if (OnHost(launch, container).Uid is not 0 and var uid)
                Fifo.Give(slave, uid, uint.MaxValue); // the group stays the terminals'
            if (launch.Console is { } size)
                Terminal.Resize(master, size.Rows, size.Columns);
            return new StdioFiles { Master = master };
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }
}
