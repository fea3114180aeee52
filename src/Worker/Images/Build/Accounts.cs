using System.Globalization;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Names of users and groups by the image's own /etc/passwd and /etc/group.</summary>
internal static class Accounts
{
    /// <summary><c>user</c>, <c>user:group</c> or numbers, as --chown has them. Without a group: the number of the user, as Docker does.</summary>
    internal static (uint Uid, uint Gid) Owner(LayeredView image, string written)
    {
        var colon = written.IndexOf(':', StringComparison.Ordinal);
        var user = colon < 0 ? written : written[..colon];
        var group = colon < 0 ? user : written[(colon + 1)..];
        return (Id(image, "etc/passwd", user, "user"), Id(image, "etc/group", group, "group"));
    }

    private static uint Id(LayeredView image, string file, string name, string what)
    {
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        if (image.Find(file) is { Status.Kind: FileKind.Regular } node)
        {
            foreach (var line in File.ReadLines(node.HostPath))
            {
                var fields = line.Split(':');
                if (fields.Length >= 3 && fields[0] == name && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                    return id;
            }
        }
        throw ImageException.Invalid($"--chown: the image has no {what} \"{name}\" in /{file}");
    }
}
