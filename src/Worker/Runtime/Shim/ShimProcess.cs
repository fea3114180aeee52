using System.Collections.Immutable;
using System.IO.Pipes;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>How the daemon gets a shim when none answers.</summary>
internal sealed record ShimCommand
{
    /// <summary>The program and its arguments; <c>/proc/self/exe shim --exec-root DIR</c>. Empty: none is started, who finds none does without.</summary>
    public required ImmutableArray<string> Arguments { get; init; }

    public required string ExecRoot { get; init; }

    /// <summary>A cgroup of the shim's own (<c>/orch-INSTANCE/shim</c>), so that stopping the daemon's does not reach it.</summary>
    public required string CgroupPath { get; init; }

    /// <summary>
    /// The group that holds the shim's and every container's (<c>/orch-INSTANCE</c>): a shim that starts removes what it finds there and takes no
    /// container over from. Null: it looks at nothing but what is noted beside the containers' FIFOs.
    /// </summary>
    public string? InstanceGroup { get; init; }

    /// <summary>A shim of another build than this is asked to become this program, in place.</summary>
    public string Build { get; init; } = ShimIdentity.ThisBuild;
}

/// <summary>The host's shim as the daemon sees it: found when it runs, started when it does not, asked through one connection.</summary>
internal sealed partial class ShimProcess(ShimCommand command, ILogger log) : IShimCaller, IAsyncDisposable
{
    private const int ReadyDescriptor = 3;
    private const int SetMask = 2;
    private const int MaskSize = 8;
    private const int MostAttempts = 3;
    private const int CloseOnExecOnly = 4;
    private const int SetDescriptorFlags = 2;

    private readonly SemaphoreSlim connecting = new(1, 1);
    private ShimConnection? connection;
    private SafeFileHandle? child;

    /// <summary>Duplicates of the ways into containers that the next shim inherits; it closes them.</summary>
    internal Func<IReadOnlyList<(string Id, SafeFileHandle File)>> Inputs { get; set; } = () => [];

    /// <summary>Connects to the running shim, or starts one and connects to it. Cheap when connected.</summary>
    /// <exception cref="ShimException">It cannot be started, or speaks another protocol.</exception>
    internal async Task<ShimConnection> EnsureAsync(CancellationToken stop)
    {
        if (connection is { Lost.IsCompleted: false } live)
            return live;
        await connecting.WaitAsync(stop);
        try
        {
            if (connection is { Lost.IsCompleted: false } other)
                return other;
            if (connection is { } old)
                await old.DisposeAsync();
            connection = await ConnectOrStartAsync(stop);
            return connection;
        }
        finally
        {
            connecting.Release();
        }
    }

    /// <remarks>When the shim dies meanwhile the next one is asked the same: it knows the containers, and being told twice does no harm.</remarks>
    public async Task<ReadOnlyMemory<byte>> CallAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var asked = await EnsureAsync(stop);
            try
            {
                return await asked.CallAsync(service, operation, request, stop);
            }
            catch (ShimException lost) when (lost.Lost && attempt < MostAttempts)
            {
                log.ShimLost(operation);
            }
        }
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(
        string service, string operation, ReadOnlyMemory<byte> request, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in (await EnsureAsync(stop)).StreamAsync(service, operation, request, stop))
            yield return item;
    }

    public async IAsyncEnumerable<ShimMessage> ExchangeAsync(
        string service, string operation, ShimMessage request, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in (await EnsureAsync(stop)).ExchangeAsync(service, operation, request, stop))
            yield return item;
    }

    /// <summary>Ends the shim, if one runs, and removes its cgroup. Refused while containers run.</summary>
    internal async Task ShutdownAsync(CancellationToken stop)
    {
        try
        {
            if (connection is not { Lost.IsCompleted: false })
                connection = await ShimConnection.ConnectAsync(ShimMain.SocketPath(command.ExecRoot), stop);
            await connection.CallAsync(ControlService.ServiceName, ControlService.Shutdown, ReadOnlyMemory<byte>.Empty, stop);
            await connection.Lost.WaitAsync(stop);
        }
        catch (ShimException gone) when (gone.Lost || connection is not { Lost.IsCompleted: false })
        {
            // None runs, or it was gone before its answer.
        }
        if (child is { } ended)
        {
            child = null;
            PidFd.Wait(ended);
            ended.Dispose();
        }
        var layout = CgroupLayout.Discover();
        Cgroup.Adopt(CgroupPlan.For(layout, command.CgroupPath, new Runtime.Spec.OciResources())).Remove();
        foreach (var root in layout.Legacy.Select(h => h.MountPoint).Append(layout.Unified).OfType<string>())
            CgroupParents.RemoveEmpty(Path.GetDirectoryName(root + command.CgroupPath)!);
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is { } open)
            await open.DisposeAsync();
        child?.Dispose();
        connecting.Dispose();
    }

    /// <summary>The shim that answers; null when none does. A shim that is dying still takes connections, so it is asked for its name.</summary>
    internal static async Task<(ShimConnection Connection, ShimIdentity Shim)?> FindAsync(string execRoot, CancellationToken stop)
    {
        ShimConnection? made = null;
        try
        {
            made = await ShimConnection.ConnectAsync(ShimMain.SocketPath(execRoot), stop);
            var reply = await made.CallAsync(ControlService.ServiceName, ControlService.Hello, ReadOnlyMemory<byte>.Empty, stop);
            return (made, JsonSerializer.Deserialize(reply.Span, ShimJson.Default.ShimIdentity)!);
        }
        catch (ShimException) when (made is not { Lost.IsCompleted: false })
        {
            if (made is not null)
                await made.DisposeAsync();
            return null;
        }
        catch
        {
            if (made is not null)
                await made.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(command.ExecRoot);
        await using var ready = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        int pid;
        try
        {
            pid = Spawn(ready);
        }
        catch (Exception error) when (error is LaunchFailedException or IOException or RuntimeException)
        {
            throw new ShimException($"start the shim: {error.Message}", error);
        }
        log.ShimStarted(pid);
        ready.DisposeLocalCopyOfClientHandle();
        if (await ready.ReadAsync(new byte[1], stop) == 0)
            throw new ShimException($"The shim ended before it listened; {LogPath} says why.");
    }

    private string LogPath => Path.Combine(command.ExecRoot, "shim.log");

    private int Spawn(AnonymousPipeServerStream ready)
    {
        using var nothing = KernelFile.Open("/dev/null", KernelFile.ReadWrite);
        using var output = File.OpenHandle(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        var groups = CgroupPlan.For(CgroupLayout.Discover(), command.CgroupPath, new Runtime.Spec.OciResources());
        Cgroup.Adopt(groups).Remove(); // with what the last shim was launching when it died
        var cgroup = Cgroup.Create(groups);
        var joins = cgroup.OpenJoinFiles().ToList();
        using var unified = cgroup.OpenUnified();
        var inputs = Inputs();
        try
        {
            var files = new Dictionary<string, int>
            {
                ["null"] = (int)nothing.DangerousGetHandle(),
                ["log"] = (int)output.DangerousGetHandle(),
                ["ready"] = (int)ready.ClientSafePipeHandle.DangerousGetHandle(),
            };
            foreach (var (name, file) in joins)
                files.Add(name, (int)file.DangerousGetHandle());
            using var program = new LaunchProgram(
                [
                    .. joins.Select(j => new LaunchStep($"join cgroup {j.Name}", CallNumber.write, Operand.File(j.Name), "0", 1)),
                    new LaunchStep("setsid", CallNumber.setsid),
                    new LaunchStep("chdir /", CallNumber.chdir, "/"),
                    new LaunchStep("redirect stdin", CallNumber.dup2, Operand.File("null"), 0),
                    new LaunchStep("redirect stdout", CallNumber.dup2, Operand.File("log"), 1),
                    new LaunchStep("redirect stderr", CallNumber.dup2, Operand.File("log"), 2),
                    new LaunchStep("keep the ready pipe", CallNumber.dup2, Operand.File("ready"), ReadyDescriptor),
                    new LaunchStep("close descriptors", CallNumber.close_range, ReadyDescriptor + 1, uint.MaxValue, CloseOnExecOnly),
                    .. inputs.Select(i => new LaunchStep($"hand on the input of {i.Id}", CallNumber.fcntl, (int)i.File.DangerousGetHandle(), SetDescriptorFlags, 0)),
                    .. ExecPlan.Heeded,
                    new LaunchStep("unblock signals", CallNumber.rt_sigprocmask, SetMask, Operand.Bytes([.. new byte[MaskSize]]), 0, MaskSize),
                    new LaunchStep($"exec {command.Arguments[0]}", CallNumber.execve, command.Arguments[0], Operand.Texts(command.Arguments), 
                        Operand.Texts([.. Environment(ready: ReadyDescriptor), ShimInputs.Variable(inputs.Select(i => (i.Id, (int)i.File.DangerousGetHandle())))])),
                ],
                files);
            var process = program.Run(0, unified is null ? null : (int)unified.DangerousGetHandle());
            if (child is { } before)
            {
                _ = PidFd.TryWait(before); // the one that died
                before.Dispose();
            }
            child = process.PidFd;
            return process.Pid;
        }
        finally
        {
            foreach (var (_, file) in joins)
                file.Dispose();
            foreach (var (_, file) in inputs)
                file.Dispose();
        }
    }

    /// <summary>The daemon's environment with a collector that keeps the heap small: the shim allocates little and in bursts.</summary>
    private ImmutableArray<string> Environment(int? ready)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
            all[(string)entry.Key] = (string?)entry.Value ?? "";
        all["DOTNET_gcServer"] = "0";
        all["DOTNET_gcConcurrent"] = "0";
        all["DOTNET_GCgen0size"] = "0x80000";
        all["DOTNET_GCConserveMemory"] = "5";
        all["DOTNET_TieredPGO"] = "0";
        all["DOTNET_TieredCompilation"] = "0"; // nothing of it is hot
        all["MALLOC_ARENA_MAX"] = "1"; // else glibc keeps one for every launching thread
        Put(ShimMain.ReadyVariable, ready?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Put(ShimMain.GroupVariable, command.InstanceGroup);
        Put(ShimInputs.VariableName, null);
        return [.. all.Select(v => $"{v.Key}={v.Value}")];

        void Put(string name, string? value)
        {
            if (value is null)
                all.Remove(name);
            else
                all[name] = value;
        }
    }
}
