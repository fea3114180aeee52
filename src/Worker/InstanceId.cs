using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Worker;

/// <summary>Tells apart several daemons on one machine: six hex digits of the SHA-256 of the data root's canonical path.</summary>
internal static class InstanceId
{
    internal static string Of(string dataRoot)
    {
        var canonical = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataRoot));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))[..6];
    }
}
