using System.Text.Json;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Which shim it is: the one that runs, the one that runs once it has become this build, or a new one.</summary>
internal sealed partial class ShimProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private bool upgraded;

    /// <summary>Makes the running shim become this program, in place: containers, their output and their exits go on.</summary>
    /// <exception cref="ShimException">It goes on as it is; the message says why.</exception>
    internal async Task UpgradeAsync(CancellationToken stop)
    {
        await EnsureAsync(stop);
        await connecting.WaitAsync(stop);
        try
        {
            var (running, shim) = await FindAsync(command.ExecRoot, stop) ?? throw new ShimException("The shim was lost before it could be upgraded.");
            await using (running)
            {
                if (await BecomeAsync(running, shim, stop) is { } refusal)
                    throw refusal;
            }
            if (connection is { } old)
                await old.DisposeAsync();
            connection = null;
            connection = await ConnectOrStartAsync(stop);
        }
        finally
        {
            connecting.Release();
        }
    }

    private async Task<ShimConnection> ConnectOrStartAsync(CancellationToken stop)
    {
        var found = await FindAsync(command.ExecRoot, stop) ?? await AwaitBeginningAsync(stop);
        if (found is { } other && other.Shim.Build != command.Build && !upgraded && !command.Arguments.IsEmpty)
        {
            upgraded = true;
            if (await BecomeAsync(other.Connection, other.Shim, stop) is { } refusal)
            {
                log.NotUpgraded(other.Shim.Pid, refusal.Message);
            }
            else
            {
                await other.Connection.DisposeAsync();
                found = await FindAsync(command.ExecRoot, stop);
            }
        }
        if (found is null)
        {
            if (command.Arguments.IsEmpty)
                throw new ShimException($"no shim answers at {ShimMain.SocketPath(command.ExecRoot)}");
            await StartAsync(stop);
            found = await FindAsync(command.ExecRoot, stop) ?? throw new ShimException($"The shim ended as soon as it listened; {LogPath} may say why.");
        }
        var (made, shim) = found.Value;
        if (shim.Protocol != ShimIdentity.CurrentProtocol)
        {
            await made.DisposeAsync();
            throw new ShimException(
                $"The running shim (process {shim.Pid}, version {shim.Version}) speaks protocol {shim.Protocol}, this program {ShimIdentity.CurrentProtocol}: stop its containers and the shim first.");
        }
        log.Connected(shim.Pid, shim.Version);
        return made;
    }

    /// <summary>Null: it became this program and answers, or has ended; otherwise why it did not.</summary>
    private async Task<ShimException?> BecomeAsync(ShimConnection running, ShimIdentity shim, CancellationToken stop)
    {
        log.Upgrading(shim.Pid);
        using var process = PidFd.Find(shim.Pid);
        try
        {
            var program = new ShimProgram(command.Arguments, Environment(ready: null));
            await running.CallAsync(ControlService.ServiceName, ControlService.Become, JsonSerializer.SerializeToUtf8Bytes(program, ShimJson.Default.ShimProgram), stop);
            return new ShimException("it answered the order to become another program and did not obey");
        }
        catch (ShimException refused) when (!refused.Lost)
        {
            return refused;
        }
        catch (ShimException)
        {
            // Its connections end with the program that it was.
        }
        await AnswersAsync(() => process is not null && !PidFd.HasEnded(process), stop);
        return null;
    }

    /// <summary>A shim that another daemon has started or upgraded may be about to listen. Null when there is none.</summary>
    private async Task<(ShimConnection Connection, ShimIdentity Shim)?> AwaitBeginningAsync(CancellationToken stop)
    {
        var groups = Cgroup.Adopt(CgroupPlan.For(CgroupLayout.Discover(), command.CgroupPath, new Runtime.Spec.OciResources()));
        if (!groups.HasProcesses())
            return null;
        return await AnswersAsync(groups.HasProcesses, stop) ? await FindAsync(command.ExecRoot, stop) : null;
    }

    private async Task<bool> AnswersAsync(Func<bool> stillThere, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (stillThere() && TimeProvider.System.GetElapsedTime(began) < Patience)
        {
            if (await FindAsync(command.ExecRoot, stop) is var (connection, _))
            {
                await connection.DisposeAsync();
                return true;
            }
            await Task.Delay(Look, TimeProvider.System, stop);
        }
        return false;
    }
}
