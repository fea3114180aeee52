using System.Collections.Immutable;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images.Build;

/// <summary>The steps that make layers: RUN, COPY and ADD.</summary>
internal sealed partial class StageBuild
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private Task RunAsync(Instruction step, CancellationToken stop)
    {
        var argv = ConfigChanges.Command(_state.Config, step);
        var visible = _args.Where(a => a.Value is not null && ConfigChanges.EnvOf(_state.Config, a.Key) is null).Select(a => $"{a.Key}={a.Value}").ToImmutableArray();
        ImmutableArray<string> reads = [string.Join('\0', argv), string.Join('\0', visible.Where(v => !_proxyArgs.Contains(v[..v.IndexOf('=')])))];
        var prefix = visible.IsEmpty ? "" : $"|{visible.Length} {string.Join(' ', visible)} ";
        return FinishAsync(step, _state.Config, () => ExecuteAsync(argv, visible, stop), prefix + string.Join(' ', argv), reads);
    }

    private async Task<BuiltLayer?> ExecuteAsync(ImmutableArray<string> argv, ImmutableArray<string> args, CancellationToken stop)
    {
        var folder = StageFolders.New(session.Content.BuildRoot, "run");
        try
        {
            var (upper, work) = (Path.Combine(folder, "upper"), Path.Combine(folder, "work"));
            Directory.CreateDirectory(upper);
            Directory.CreateDirectory(work);
            var run = new BuildStep
            {
                Id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)),
                LowerDirs = [.. _state.Layers.Reverse().Select(l => session.Content.Layers.DiffOf(l.DiffId))],
                UpperDir = upper,
                WorkDir = work,
                Argv = argv,
                Env = Environment(args),
                Cwd = string.IsNullOrEmpty(_state.Config.WorkingDir) ? "/" : _state.Config.WorkingDir,
                User = _state.Config.User ?? "",
                ExtraHosts = session.Request.ExtraHosts,
            };
            session.Say($" ---> Running in {ImageIds.Short(run.Id)}\n");
            var decoder = new OutputText(session.Say);
            var code = await session.Runner.RunAsync(run, decoder.Add, stop);
            decoder.Finish();
            if (code != 0)
                throw ImageException.Invalid($"The command '{string.Join(' ', argv)}' returned a non-zero code: {code}");
            session.Say($" ---> Removed intermediate container {ImageIds.Short(run.Id)}\n");
            return await Task.Run(() => CommitAsync(upper, stop), stop);
        }
        finally
        {
            await Task.Run(() => StageFolders.Delete(folder), CancellationToken.None);
        }
    }

    private async Task<BuiltLayer?> CommitAsync(string upper, CancellationToken stop) =>
        Directory.EnumerateFileSystemEntries(upper).Any() ? await LayerAsync(to => LayerTar.Write(upper, to, stop), stop) : null;

    private ImmutableArray<string> Environment(ImmutableArray<string> args)
    {
        var env = _state.Config.Env ?? [];
        var path = ConfigChanges.EnvOf(_state.Config, "PATH") is null ? [DefaultPath] : ImmutableArray<string>.Empty;
        var proxies = session.Request.BuildArgs
            .Where(a => _proxyArgs.Contains(a.Key) && a.Value is not null && !_args.ContainsKey(a.Key))
            .Select(a => $"{a.Key}={a.Value}");
        session.Consumed.UnionWith(_proxyArgs);
        return [.. path, .. proxies, .. args, .. env];
    }

    private async Task CopyAsync(Instruction step, CancellationToken stop)
    {
        var words = InstructionChecks.CopyArguments(step).Select(w => Words.Expand(w, session.Escape, Lookup)).ToImmutableArray();
        var (from, ignore) = await SourceAsync(step, stop);
        var image = session.View(_state.Layers);
        var mode = step.Flags.TryGetValue("chmod", out var octal) ? Words.Expand(octal, session.Escape, Lookup) : null;
        var request = new CopyRequest
        {
            Keyword = step.Keyword,
            Sources = words[..^1],
            Destination = words[^1],
            WorkingDir = _state.Config.WorkingDir ?? "/",
            Owner = step.Flags.TryGetValue("chown", out var owner) ? Accounts.Owner(image, Words.Expand(owner, session.Escape, Lookup)) : (0, 0),
            Mode = mode is null ? null : CopySelection.Mode(mode) ?? throw new FormatException($"invalid --chmod={mode}: an octal mode is needed, such as 0755"),
            Ignore = ignore,
        };
        var (items, hash) = await Task.Run(
            () =>
            {
                var planned = CopySelection.Of(from, image, request);
                return (planned, CopySelection.Hash(planned));
            },
            stop);
        var createdBy = $"{string.Join(' ', ConfigChanges.ShellOf(_state.Config))} #(nop) {step.Keyword} {(items.Length == 1 ? "file" : "multi")}:{hash} in {request.Destination} ";
        await FinishAsync(
            step, _state.Config,
            () => Task.Run(async () => items.IsEmpty ? null : await LayerAsync(to => CopyLayer.Write(items, to, stop), stop), stop),
            createdBy, [hash]);
    }

    private async Task<(LayeredView, DockerIgnore)> SourceAsync(Instruction step, CancellationToken stop)
    {
        if (!step.Flags.TryGetValue("from", out var written))
            return (session.Context, session.Ignore);
        var name = Words.Expand(written, session.Escape, Lookup);
        if (name.Length == 0)
            throw new FormatException("COPY --from names nothing");
        if (session.StageNamed(name) is { } earlier)
            return (session.View(earlier.Layers), DockerIgnore.Nothing);
        if (name.Equals(stage.Name, StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"COPY --from={name} names its own stage");
        return (session.View((await BaseAsync(name, step.Line, stop)).Layers), DockerIgnore.Nothing);
    }
}
