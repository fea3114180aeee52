using System.Globalization;

namespace Orchestrator.Worker.Agent;

/// <summary>
/// What is added to the versions of endpoint tables. Versions of a cluster only grow, and this host never goes back; another cluster begins
/// at one again, so leaving one moves the epoch above everything applied so far.
/// </summary>
internal sealed class EndpointEpoch(string directory)
{
    private string FilePath => Path.Combine(directory, "endpoints-epoch");

    internal ulong Value => File.Exists(FilePath) ? ulong.Parse(File.ReadAllText(FilePath), CultureInfo.InvariantCulture) : 0;

    internal void MoveTo(ulong version)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(FilePath + ".next", version.ToString(CultureInfo.InvariantCulture));
        File.Move(FilePath + ".next", FilePath, overwrite: true);
    }
}
