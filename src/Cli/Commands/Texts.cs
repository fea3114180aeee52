using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands;

/// <summary>How identifiers, images and ports are written in tables.</summary>
internal static class Texts
{
    internal static string Id(string id, bool noTrunc)
    {
        var bare = id.StartsWith("sha256:", StringComparison.Ordinal) && !noTrunc ? id[7..] : id;
        return noTrunc || bare.Length <= 12 ? bare : bare[..12];
    }

    /// <summary>Without the digest, when there is a tag to know the image by.</summary>
    internal static string Image(string image, bool noTrunc)
    {
        var at = image.IndexOf('@');
        return noTrunc || at < 0 ? image : image[..at];
    }

    /// <summary>As Go writes a time: <c>2006-01-02 15:04:05 +0000 UTC</c>.</summary>
    internal static string Time(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss '+0000 UTC'", System.Globalization.CultureInfo.InvariantCulture);

    internal static string Labels(IReadOnlyDictionary<string, string> labels) =>
        string.Join(',', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));

    /// <summary><c>*:8080->80/tcp</c>, neighbours drawn together as ranges.</summary>
    internal static string IngressPorts(IEnumerable<PortConfig> ports) =>
        Ranges(ports.Where(p => p.PublishMode == "ingress" && p.PublishedPort > 0), "*");

    internal static string HostPorts(ServiceTask task) =>
        Ranges((task.Status.PortStatus?.Ports ?? []).Where(p => p.PublishedPort > 0), "*");

    private static string Ranges(IEnumerable<PortConfig> ports, string address)
    {
        var ranges = new List<(PortConfig First, int Count)>();
        foreach (var port in ports.OrderBy(p => p.Protocol, StringComparer.Ordinal).ThenBy(p => p.PublishedPort))
        {
            if (ranges.Count > 0 && ranges[^1] is var (first, count) && first.Protocol == port.Protocol
                && port.PublishedPort == first.PublishedPort + count && port.TargetPort == first.TargetPort + count)
                ranges[^1] = (first, count + 1);
            else
                ranges.Add((port, 1));
        }
        return string.Join(", ", ranges.Select(r => $"{address}:{Span(r.First.PublishedPort, r.Count)}->{Span(r.First.TargetPort, r.Count)}/{r.First.Protocol}"));
    }

    private static string Span(int first, int count) => count == 1 ? $"{first}" : $"{first}-{first + count - 1}";
}
