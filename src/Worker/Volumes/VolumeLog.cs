using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Volumes;

internal static partial class VolumeLog
{
    [LoggerMessage(1, LogLevel.Warning, "Volume {Name} has no readable record; it is left as it is and not used. Its data is in its folder _data")]
    public static partial void RecordMissing(this ILogger log, string name);

    [LoggerMessage(2, LogLevel.Error, "Volume {Name}: {Work} failed")]
    public static partial void VolumeWorkFailed(this ILogger log, Exception failure, string name, string work);
}
