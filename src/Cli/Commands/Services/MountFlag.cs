using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>--mount</c>: <c>type=bind,source=/a,target=/b,readonly</c> <c>type=volume,source=data,target=/d</c> or <c>type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1777</c>.</summary>
internal static class MountFlag
{
    internal static Mount Parse(string text, string folder)
    {
        var mount = new Mount { Type = "volume" };
        var bind = new BindOptions();
        var tmpfs = new TmpfsOptions();
        var volume = new VolumeOptions();
        var (labels, options) = (new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal));
        string? driver = null;
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            var value = equals < 0 ? null : field[(equals + 1)..];
            switch (equals < 0 ? field : field[..equals].ToLowerInvariant())
            {
                case "type":
                    mount = mount with { Type = value ?? "" };
                    break;
                case "source" or "src":
                    mount = mount with { Source = value };
                    break;
                case "target" or "dst" or "destination":
                    mount = mount with { Target = value ?? "" };
                    break;
                case "readonly" or "ro" when value is null or "true" or "1" or "false" or "0":
                    mount = mount with { ReadOnly = value is null or "true" or "1" };
                    break;
                case "bind-propagation":
                    bind = bind with { Propagation = value };
                    break;
                case "volume-nocopy" when value is null or "true" or "1" or "false" or "0":
                    volume = volume with { NoCopy = value is null or "true" or "1" };
                    break;
                case "volume-subpath":
                    volume = volume with { Subpath = value };
                    break;
                case "volume-driver":
                    driver = value;
                    break;
                case "volume-label":
                    Pair(labels, value ?? "");
                    break;
                case "volume-opt":
                    Pair(options, value ?? "");
                    break;
                case "tmpfs-size":
                    var size = ByteSizes.Parse(value ?? "");
                    tmpfs = tmpfs with { SizeBytes = size.Error is null ? size.Value : throw Bad(size.Error) };
                    break;
                case "tmpfs-mode":
                    tmpfs = tmpfs with { Mode = value is { Length: > 0 and <= 5 } && value.All(c => c is >= '0' and <= '7') ? Convert.ToUInt32(value, 8) : throw Bad($"'{value}' is not a file mode in octal") };
                    break;
                default:
                    throw Bad($"unexpected key '{field}'");
            }
        }
        volume = volume with
        {
            Labels = labels,
            DriverConfig = driver is null && options.Count == 0 ? null : new LogDriver { Name = driver ?? "local", Options = options },
        };
        var ofVolume = volume.NoCopy || volume.Subpath is not null || labels.Count > 0 || volume.DriverConfig is not null;
        if (ofVolume && mount.Type != "volume")
            throw Bad($"cannot mix 'volume-*' options with mount type '{mount.Type}'");
        if (mount.Type == "volume" && (bind != new BindOptions() || tmpfs != new TmpfsOptions()))
            throw Bad($"cannot mix '{(bind != new BindOptions() ? "bind" : "tmpfs")}-*' options with mount type 'volume'");
        if (!mount.Target.StartsWith('/'))
            throw Bad("target must be an absolute path of the container");
        return mount.Type switch
        {
            "bind" when mount.Source is { Length: > 0 } source => mount with
            {
                Source = Path.GetFullPath(Path.Combine(folder, source)),
                BindOptions = bind == new BindOptions() ? null : bind,
            },
            "bind" => throw Bad("a bind mount needs a source"),
            "tmpfs" when mount.Source is null => mount with { TmpfsOptions = tmpfs == new TmpfsOptions() ? null : tmpfs },
            "tmpfs" => throw Bad("a tmpfs has no source"),
            "volume" => mount with { VolumeOptions = ofVolume ? volume : null },
            _ => throw Bad($"mounts of type '{mount.Type}' do not work; use type=bind, type=volume or type=tmpfs"),
        };

        static void Pair(Dictionary<string, string> into, string text)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            into[equals < 0 ? text : text[..equals]] = equals < 0 ? "" : text[(equals + 1)..];
        }

        CommandException Bad(string why) => new($"invalid argument '{text}' for --mount: {why}");
    }
}
