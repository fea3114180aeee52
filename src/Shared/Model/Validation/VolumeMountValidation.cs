namespace Orchestrator.Shared.Model.Validation;

/// <summary>A service's mount of a volume. Names and options may hold templates: the node judges what comes of them.</summary>
internal static class VolumeMountValidation
{
    internal static void Check(Findings found, Mount mount, string where)
    {
        var name = mount.Source ?? "";
        var template = name.Contains("{{", StringComparison.Ordinal);
        found.When(
            name.Length > 0 && !template && !IsName(name), where,
            $"volume name '{name}' is invalid: letters, digits, '_', '.' and '-', beginning with a letter or digit, at least two; for a directory of the host use type bind and an absolute path");
        found.When(mount.BindOptions is not null, where, $"the volume at '{mount.Target}' has bind options");
        found.When(mount.TmpfsOptions is not null, where, $"the volume at '{mount.Target}' has tmpfs options");
        if (mount.VolumeOptions is not { } options)
            return;
        found.When(
            options.DriverConfig?.Name is not (null or "" or "local"), where,
            $"volume driver '{options.DriverConfig?.Name}' is not there ('{mount.Target}'): orch has the driver local only");
        found.When(
            options.Subpath is { Length: > 0 } subpath && (subpath[0] == '/' || subpath.Split('/').Contains("..")), where,
            $"subpath '{options.Subpath}' of the volume at '{mount.Target}' must be relative and stay inside");
        foreach (var option in (options.DriverConfig?.Options ?? Empty.Map).Keys.Where(o => o is not ("type" or "device" or "o")))
        {
            found.Add(where, option == "size"
                ? $"the option size of the volume at '{mount.Target}' cannot be enforced on a directory of the host: use type=tmpfs, device=tmpfs, o=size=…"
                : $"the option '{option}' of the volume at '{mount.Target}' is unknown: the local driver has type, device and o");
        }
    }

    private static bool IsName(string name) =>
        name.Length is > 1 and <= 255 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
