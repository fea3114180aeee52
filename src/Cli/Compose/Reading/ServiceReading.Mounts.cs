using System.Globalization;
using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>Mounts and ports: the keys with a short and a long form.</summary>
internal sealed partial class ServiceReading
{
    private List<Mount> Volumes(MapReader body)
    {
        var mounts = new List<Mount>();
        foreach (var item in body.Items("volumes"))
        {
            var mount = item switch
            {
                ScalarNode { IsNull: false } scalar => ShortVolume(scalar, body.Subject),
                MappingNode map => LongVolume(new MapReader(map, $"{body.Subject}.volumes", _problems)),
                _ => null,
            };
            if (mount is not null)
                mounts.Add(mount);
            else if (item is not (ScalarNode { IsNull: false } or MappingNode))
                body.Wrong(item, "volumes", "a list of SOURCE:TARGET");
        }
        foreach (var twice in mounts.GroupBy(m => m.Target, StringComparer.Ordinal).Where(g => g.Count() > 1))
            _problems.Add(body.Take("volumes")!.At, $"{body.Subject}.volumes mounts '{twice.Key}' more than once");
        return mounts;
    }

    /// <summary><c>SOURCE:TARGET[:OPTIONS]</c>; a source that begins with '.', '/' or '~' is a path of the host, another one a volume's name.</summary>
    private Mount? ShortVolume(ScalarNode node, string subject)
    {
        var parts = node.Text.Split(':');
        if (parts.Length == 1)
            return Anonymous(node.At, subject, node.Text, new Mount { Type = "volume", Target = node.Text });
        if (parts.Length > 3)
            return Fail(node.At, $"{subject}.volumes: '{node.Text}' has too many ':': write SOURCE:TARGET or SOURCE:TARGET:ro");
        var (source, target) = (parts[0], parts[1]);
        if (source is not (['.' or '/' or '~', ..]))
            return ShortNamed(node, subject, parts);
        if (!target.StartsWith('/'))
            return Fail(node.At, $"{subject}.volumes: '{target}' is not an absolute path of the container");
        var mount = new Mount { Type = "bind", Source = context.Absolute(source), Target = target };
        foreach (var option in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            switch (option)
            {
                case "ro":
                    mount = mount with { ReadOnly = true };
                    break;
                case "rw" or "" or "z" or "Z" or "cached" or "delegated" or "consistent":
                    break;
                case "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave":
                    mount = mount with { BindOptions = new BindOptions { Propagation = option } };
                    break;
                default:
                    _problems.Add(node.At, $"{subject}.volumes: unknown option '{option}' in '{node.Text}'; known are ro and rw");
                    break;
            }
        }
        return mount;
    }

    private Mount? LongVolume(MapReader map)
    {
        var type = map.OneOf("type", "bind", "tmpfs", "volume", "npipe", "cluster", "image");
        if (map.PlaceOf("type") is null)
            _problems.Add(map.At, $"{map.Subject} needs a 'type': bind, volume or tmpfs");
        var source = map.Text("source") ?? map.Text("src");
        var target = map.Text("target") ?? map.Text("dst") ?? map.Text("destination");
        var readOnly = map.Flag("read_only") ?? false;
        map.TextOrNumber("consistency");
        var bind = map.Map("bind") is { } b ? Bind(b) : null;
        var tmpfs = map.Map("tmpfs") is { } t ? Tmpfs(t) : null;
        var volume = map.Map("volume") is { } v ? VolumeOf(v) : null;
        map.Refuse("image", "does not work yet: an image cannot be mounted");
        map.Close();
        if (type is null)
            return null;
        if (type is not ("bind" or "tmpfs" or "volume"))
            return Fail(map.At, $"{map.Subject}: mounts of type {type} do not work");
        if (target is null || !target.StartsWith('/'))
            return Fail(map.At, $"{map.Subject} needs a 'target', an absolute path of the container");
        foreach (var (key, given) in new[] { ("bind", bind is not null), ("tmpfs", tmpfs is not null), ("volume", volume is not null) })
        {
            if (given && key != type)
                _problems.Add(map.At, $"{map.Subject} is of type {type}, so the key '{key}' says nothing");
        }
        if (type == "volume")
        {
            var subject = map.Subject[..^".volumes".Length];
            var named = new Mount { Type = "volume", Source = source, Target = target, ReadOnly = readOnly, VolumeOptions = volume };
            return source is null ? Anonymous(map.At, subject, target, named) : Named(map.At, subject, source, named);
        }
        if (type == "tmpfs")
        {
            return source is null
                ? new Mount { Type = "tmpfs", Target = target, ReadOnly = readOnly, TmpfsOptions = tmpfs }
                : Fail(map.At, $"{map.Subject}: a tmpfs has no 'source'");
        }
        return source is null
            ? Fail(map.At, $"{map.Subject} needs a 'source', a path of the host")
            : new Mount { Type = "bind", Source = context.Absolute(source), Target = target, ReadOnly = readOnly, BindOptions = bind };
    }

    private static BindOptions? Bind(MapReader map)
    {
        var options = new BindOptions
        {
            Propagation = map.OneOf("propagation", "private", "rprivate", "shared", "rshared", "slave", "rslave"),
            CreateMountpoint = map.Flag("create_host_path") ?? false,
            NonRecursive = map.OneOf("recursive", "enabled", "disabled", "writable", "readonly") == "disabled",
        };
        map.Take("selinux");
        map.Close();
        return options == new BindOptions() ? null : options;
    }

    private static TmpfsOptions? Tmpfs(MapReader map)
    {
        var options = new TmpfsOptions { SizeBytes = map.Bytes("size") ?? 0, Mode = map.Parse("mode", FileMode) ?? 0 };
        map.Close();
        return options == new TmpfsOptions() ? null : options;
    }

    /// <summary>Permission bits in octal, with or without 0 or 0o before them.</summary>
    private static Parsed<uint> FileMode(string text)
    {
        var digits = text.StartsWith("0o", StringComparison.Ordinal) ? text[2..] : text;
        if (digits.Length is 0 or > 5 || digits.Any(c => c is < '0' or > '7'))
            return Parsed<uint>.Not($"'{text}' is not a file mode: write it in octal, as in 1777 or 0755");
        return Convert.ToUInt32(digits, 8);
    }

    /// <summary>The key <c>tmpfs</c>: <c>PATH[:size=64m,mode=1777]</c>.</summary>
    private List<Mount> TmpfsMounts(MapReader body)
    {
        var mounts = new List<Mount>();
        foreach (var node in body.ScalarOrScalars("tmpfs"))
        {
            var colon = node.Text.IndexOf(':');
            var target = colon < 0 ? node.Text : node.Text[..colon];
            if (!target.StartsWith('/'))
            {
                _problems.Add(node.At, $"{body.Subject}.tmpfs: '{target}' is not an absolute path of the container");
                continue;
            }
            var options = new TmpfsOptions();
            var readOnly = false;
            foreach (var option in colon < 0 ? [] : node.Text[(colon + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                string? error = null;
                if (option.StartsWith("size=", StringComparison.Ordinal))
                    (options, error) = ByteSizes.Parse(option[5..]) is var size ? (options with { SizeBytes = size.Value }, size.Error) : default;
                else if (option.StartsWith("mode=", StringComparison.Ordinal))
                    (options, error) = FileMode(option[5..]) is var mode ? (options with { Mode = mode.Value }, mode.Error) : default;
                else if (option is "ro" or "rw")
                    readOnly = option == "ro";
                else
                    error = $"unknown option '{option}'; known are size, mode, ro and rw";
                if (error is not null)
                    _problems.Add(node.At, $"{body.Subject}.tmpfs: {error}");
            }
            mounts.Add(new Mount { Type = "tmpfs", Target = target, ReadOnly = readOnly, TmpfsOptions = options == new TmpfsOptions() ? null : options });
        }
        return mounts;
    }

    private static VolumeOptions? VolumeOf(MapReader map)
    {
        var options = new VolumeOptions { NoCopy = map.Flag("nocopy") ?? false, Subpath = map.Text("subpath") };
        map.Refuse("labels", "does not work: labels stand at the volume's own entry in the top-level 'volumes'");
        map.Close();
        return options is { NoCopy: false, Subpath: null } ? null : options;
    }

    /// <summary><c>VOLUME:TARGET[:ro,nocopy]</c></summary>
    private Mount? ShortNamed(ScalarNode node, string subject, string[] parts)
    {
        if (!parts[1].StartsWith('/'))
            return Fail(node.At, $"{subject}.volumes: '{parts[1]}' is not an absolute path of the container");
        var mount = new Mount { Type = "volume", Source = parts[0], Target = parts[1] };
        foreach (var option in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            switch (option)
            {
                case "ro" or "rw":
                    mount = mount with { ReadOnly = option == "ro" };
                    break;
                case "nocopy":
                    mount = mount with { VolumeOptions = new VolumeOptions { NoCopy = true } };
                    break;
                case "z" or "Z":
                    break;
                default:
                    _problems.Add(node.At, $"{subject}.volumes: unknown option '{option}' in '{node.Text}'; known are ro, rw and nocopy");
                    break;
            }
        }
        return Named(node.At, subject, parts[0], mount);
    }

    private Mount? Anonymous(Place at, string subject, string target, Mount mount) => target.StartsWith('/')
        ? mount
        : Fail(at, $"{subject}.volumes: '{target}' is neither SOURCE:TARGET nor an absolute path of the container");

    private Mount? Named(Place at, string subject, string name, Mount mount) => declaredVolumes.Contains(name)
        ? mount
        : Fail(at, $"{subject}.volumes: the file does not declare the volume '{name}'"
            + (Spelling.Nearest(name, declaredVolumes) is { } near ? $", did you mean '{near}'?" : $"; add it to the top-level 'volumes', or write './{name}' for a folder of the host"));

    private Mount? Fail(Place at, string message)
    {
        _problems.Add(at, message);
        return null;
    }

    private List<PortConfig> Ports(MapReader body)
    {
        var ports = new List<PortConfig>();
        foreach (var item in body.Items("ports"))
        {
            switch (item)
            {
                case ScalarNode { IsNull: false } scalar:
                    var parsed = PortSpecs.Parse(scalar.Text);
                    if (parsed.Error is null)
                        ports.AddRange(parsed.Value);
                    else
                        _problems.Add(scalar.At, $"{body.Subject}.ports: {parsed.Error}");
                    break;
                case MappingNode map:
                    ports.AddRange(LongPort(new MapReader(map, $"{body.Subject}.ports", _problems)));
                    break;
                default:
                    body.Wrong(item, "ports", "a list of PUBLISHED:TARGET");
                    break;
            }
        }
        foreach (var twice in ports.Where(p => p.PublishedPort != 0).GroupBy(p => (p.PublishedPort, p.Protocol)).Where(g => g.Count() > 1))
            _problems.Add(body.Take("ports")!.At, $"{body.Subject}.ports publishes {twice.Key.PublishedPort}/{twice.Key.Protocol} more than once");
        return ports;
    }

    private IReadOnlyList<PortConfig> LongPort(MapReader map)
    {
        var target = map.Parse("target", PortSpecs.One);
        if (map.PlaceOf("target") is null)
            _problems.Add(map.At, $"{map.Subject} needs a 'target', the container's port");
        var published = map.TextOrNumber("published");
        var protocol = map.OneOf("protocol", "tcp", "udp", "sctp") ?? "tcp";
        var mode = map.OneOf("mode", "ingress", "host") ?? "ingress";
        var name = map.Text("name");
        map.Refuse("host_ip", "does not work: a service's port is published on every node, so an address of one host cannot be used");
        map.TextOrNumber("app_protocol");
        map.Close();
        if (target is null)
            return [];
        var parsed = PortSpecs.Parse($"{published}:{target.Value.ToString(CultureInfo.InvariantCulture)}/{protocol}");
        if (parsed.Error is null)
            return [.. parsed.Value.Select(p => p with { Name = name, PublishMode = mode })];
        _problems.Add(map.At, $"{map.Subject}: {PortSpecs.One(published ?? "").Error}");
        return [];
    }
}
