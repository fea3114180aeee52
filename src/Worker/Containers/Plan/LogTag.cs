using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>The option <c>tag</c>: text with <c>{{.Field}}</c> of the container in it.</summary>
internal static class LogTag
{
    internal static string Of(string tag, StoredContainer container) => LogOptions.TagField.Replace(tag, match => match.Groups["field"].Value switch
    {
        "ID" => container.Id[..12],
        "FullID" => container.Id,
        "Name" => container.Name,
        "ImageID" => container.ImageId.Replace("sha256:", "", StringComparison.Ordinal)[..12],
        "ImageFullID" => container.ImageId,
        "ImageName" => container.Config.Image,
        "DaemonName" => "orch",
        "Command" => string.Join(' ', [.. container.Config.Entrypoint ?? [], .. container.Config.Cmd ?? []]),
        "Hostname" => string.IsNullOrEmpty(container.Config.Hostname) ? container.Id[..12] : container.Config.Hostname,
        _ => match.Value, // was refused
    });
}
