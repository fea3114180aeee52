using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Builds one stage, instruction by instruction.</summary>
internal sealed partial class StageBuild(BuildSession session, Stage stage)
{
    // Docker passes these to RUN without an ARG and keeps them out of the cache's keys.
    private static readonly HashSet<string> _proxyArgs = new(StringComparer.Ordinal)
    {
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
    };

    private readonly SortedDictionary<string, string?> _args = new(StringComparer.Ordinal);
    private StageState _state = new() { Key = "" };

    internal async Task<StageState> BuildAsync(CancellationToken stop)
    {
        await AtAsync(stage.From, () => FromAsync(stop));
        foreach (var step in stage.Steps)
            await AtAsync(step, () => StepAsync(step, stop));
        return _state;
    }

    private async Task AtAsync(Instruction instruction, Func<Task> act)
    {
        session.Announce(instruction);
        try
        {
            await act();
        }
        catch (FormatException e)
        {
            throw ImageException.Invalid($"{session.Request.DockerfilePath}:{instruction.Line}: {e.Message}");
        }
        session.Say($" ---> {(instruction.Keyword == "FROM" && _state.Layers.IsEmpty && _state.History.IsEmpty ? "" : IdNow())}\n");
    }

    private async Task FromAsync(CancellationToken stop)
    {
        var name = Words.Expand(Words.Split(stage.From.Rest)[0], session.Escape, Global);
        if (stage.From.Flags.TryGetValue("platform", out var platform)
            && Words.Expand(platform, session.Escape, Global) is var wanted && wanted != $"{HostPlatform.Os}/{HostPlatform.Architecture}")
            throw ImageException.Invalid($"{session.Request.DockerfilePath}:{stage.From.Line}: FROM --platform={wanted}: this host builds {HostPlatform.Os}/{HostPlatform.Architecture} only");
        if (name.Length == 0)
            throw new FormatException($"base name ({Words.Split(stage.From.Rest)[0]}) should not be blank");
        if (name == "scratch")
        {
            _state = new() { Key = BuildCache.Key("", "scratch"), Architecture = HostPlatform.Architecture };
            return;
        }
        if (session.StageNamed(name) is { } earlier && !char.IsAsciiDigit(name[0]))
        {
            _state = earlier;
            return;
        }
        _state = await BaseAsync(name, stage.From.Line, stop);
    }

    private async Task<StageState> BaseAsync(string name, int line, CancellationToken stop)
    {
        var image = session.FindImage(name)
            ?? throw new ImageException(ImageFault.NotFound,
                $"{session.Request.DockerfilePath}:{line}: no such image: {name} (this host has none of that name; load, import or build it first)");
        if (image.Document.Config?.OnBuild is { Length: > 0 } triggers)
            throw ImageException.Invalid($"{session.Request.DockerfilePath}:{line}: {name} has ONBUILD instructions ({triggers[0]}), which are not supported");
        await session.Content.UnpackAsync(image, session.Scope, stop);
        foreach (var blob in image.Blobs)
            session.Scope.Add(blob);
        var document = image.Document;
        return new()
        {
            Key = BuildCache.Key("", "image", image.Id),
            Config = document.Config ?? new(),
            Layers = [.. image.Layers.Select((l, i) => new BuiltLayer(l, document.Rootfs.DiffIds[i]))],
            History = document.History ?? [],
            Created = document.Created,
            Author = document.Author,
            Architecture = document.Architecture,
            Variant = document.Variant,
            Os = document.Os,
        };
    }

    private Task StepAsync(Instruction step, CancellationToken stop) => step.Keyword switch
    {
        "RUN" => RunAsync(step, stop),
        "COPY" or "ADD" => CopyAsync(step, stop),
        "WORKDIR" => WorkdirAsync(step, stop),
        "ARG" => ArgAsync(step),
        "MAINTAINER" => FinishAsync(step, _state.Config, NoLayer, NoOp(step), [step.Rest], step.Rest),
        _ => FinishAsync(step, ConfigChanges.Apply(_state.Config, step, session.Escape, Lookup), NoLayer, NoOp(step)),
    };

    private Task ArgAsync(Instruction step)
    {
        foreach (var word in Words.SplitQuoted(step.Rest, session.Escape))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? word : word[..equals];
            string? value = equals < 0 ? null : Words.Expand(word[(equals + 1)..], session.Escape, Lookup);
            if (session.Request.BuildArgs.TryGetValue(name, out var given))
            {
                session.Consumed.Add(name);
                value = given ?? value;
            }
            else if (equals < 0 && session.Globals.TryGetValue(name, out var global))
            {
                value = global;
            }
            _args[name] = value;
        }
        return FinishAsync(step, _state.Config, NoLayer, NoOp(step));
    }

    private Task WorkdirAsync(Instruction step, CancellationToken stop)
    {
        var config = ConfigChanges.Apply(_state.Config, step, session.Escape, Lookup);
        return FinishAsync(
            step, config,
            () => Task.Run(
                async () =>
                {
                    var items = CopySelection.OfDirectory(session.View(_state.Layers), config.WorkingDir!);
                    return items.IsEmpty ? null : await LayerAsync(to => CopyLayer.Write(items, to, stop), stop);
                },
                stop),
            NoOp(step));
    }

    /// <summary>Takes the step's result from the cache or makes it, and moves the state on.</summary>
    private async Task FinishAsync(
        Instruction step, ImageConfig config, Func<Task<BuiltLayer?>> make, string createdBy, ImmutableArray<string> reads = default, string? author = null)
    {
        var key = BuildCache.Key(_state.Key, [step.Keyword, JsonSerializer.Serialize(config, ImageJson.Default.ImageConfig), .. reads.IsDefault ? [] : reads]);
        var cached = session.Request.NoCache ? null : Usable(key);
        if (cached is not null)
            session.Say(" ---> Using cache\n");
        else
            cached = await MakeAsync(key, make);
        BuiltLayer? layer = cached.DiffId is null
            ? null
            : new(new() { MediaType = MediaTypes.Layer, Digest = cached.Blob!, Size = cached.Size }, cached.DiffId);
        _state = _state with
        {
            Key = key,
            Config = config,
            Author = author ?? _state.Author,
            Created = cached.Created,
            Layers = layer is { } made ? _state.Layers.Add(made) : _state.Layers,
            History = _state.History.Add(new() { Created = cached.Created, CreatedBy = createdBy, EmptyLayer = layer is null ? true : null }),
        };
    }

    private async Task<CachedStep> MakeAsync(string key, Func<Task<BuiltLayer?>> make)
    {
        var layer = await make();
        var step = new CachedStep { Created = session.Content.Now, DiffId = layer?.DiffId, Blob = layer?.Blob.Digest, Size = layer?.Blob.Size ?? 0 };
        session.Cache.Put(key, step);
        return step;
    }

    private CachedStep? Usable(string key)
    {
        if (session.Cache.Find(key) is not { } step)
            return null;
        if (step.DiffId is null)
            return step;
        session.Scope.Add(step.DiffId);
        session.Scope.Add(step.Blob!);
        return session.Content.Blobs.Has(step.Blob!) && session.Content.Layers.Has(step.DiffId) ? step : null;
    }

    private async Task<BuiltLayer?> LayerAsync(Action<Stream> write, CancellationToken stop)
    {
        Blob blob;
        using (var writer = session.Content.Blobs.Writer(session.Scope))
        {
            write(writer);
            blob = writer.Commit();
        }
        await session.Content.Layers.EnsureAsync(blob.Digest, () => session.Content.Blobs.Open(blob.Digest), stop);
        return new(new() { MediaType = MediaTypes.Layer, Digest = blob.Digest, Size = blob.Size }, blob.Digest);
    }

    private string? Lookup(string name) => ConfigChanges.EnvOf(_state.Config, name) ?? _args.GetValueOrDefault(name);

    private string? Global(string name) => session.Globals.GetValueOrDefault(name);

    private string IdNow() => ImageIds.Short(Digests.Of(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(_state.ToDocument(), ImageJson.Default.ImageDocument))));

    private string NoOp(Instruction step) => $"{string.Join(' ', ConfigChanges.ShellOf(_state.Config))} #(nop) {step.Text}";

    private static Task<BuiltLayer?> NoLayer() => Task.FromResult<BuiltLayer?>(null);
}
