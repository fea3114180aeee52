using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary><c>--device HOST[:CONTAINER][:rwm]</c>, and limits of devices written <c>PATH:AMOUNT</c>.</summary>
internal static class DeviceFlag
{
    internal static DeviceMapping Parse(string text)
    {
        var parts = text.Split(':');
        (string Host, string Inside, string Access) device = parts switch
        {
            [var host] => (host, host, "rwm"),
            [var host, var access] when IsAccess(access) => (host, host, access),
            [var host, var inside] => (host, inside, "rwm"),
            [var host, var inside, var access] when IsAccess(access) => (host, inside, access),
            _ => throw Bad(),
        };
        return device.Host.StartsWith('/') && device.Inside.StartsWith('/')
            ? new DeviceMapping { PathOnHost = device.Host, PathInContainer = device.Inside, CgroupPermissions = device.Access }
            : throw Bad();

        CommandException Bad() => new($"bad format for path: '{text}': write --device HOST[:CONTAINER][:rwm] with absolute paths");
    }

    internal static WeightDevice Weight(string text) =>
        Split(text) is var (path, value) && int.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var weight)
            ? new WeightDevice { Path = path, Weight = weight }
            : throw new CommandException($"bad format: '{text}': write DEVICE-PATH:WEIGHT");

    internal static ThrottleDevice Bytes(string text) =>
        Split(text) is var (path, value) && ByteSizes.Parse(value) is { Error: null } rate
            ? new ThrottleDevice { Path = path, Rate = rate.Value }
            : throw new CommandException($"bad format: '{text}': write DEVICE-PATH:AMOUNT[kmg] a second");

    internal static ThrottleDevice Operations(string text) =>
        Split(text) is var (path, value) && long.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var rate)
            ? new ThrottleDevice { Path = path, Rate = rate }
            : throw new CommandException($"bad format: '{text}': write DEVICE-PATH:NUMBER a second");

    private static (string Path, string Value)? Split(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && text[0] == '/' ? (text[..colon], text[(colon + 1)..]) : null;
    }

    private static bool IsAccess(string text) => text.Length is > 0 and <= 3 && text.All(c => c is 'r' or 'w' or 'm');
}
