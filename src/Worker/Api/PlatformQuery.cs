using System.Text.Json;
using Orchestrator.Shared.Http;

namespace Orchestrator.Worker.Api;

/// <summary>The platforms that a call about images names: this host's images are of its own platform alone.</summary>
internal static class PlatformQuery
{
    /// <param name="request">The call.</param>
    /// <param name="name">The parameter, which may be repeated: an OCI platform as JSON, or words as in <c>linux/amd64</c>.</param>
    /// <exception cref="ApiException">Another platform, or a text that is none.</exception>
    internal static void Check(ApiRequest request, string name)
    {
        foreach (var text in request.Queries(name).Where(t => t.Length > 0))
        {
            var platform = text[0] is '{' or '"' ? Read(text, name) : text;
            if (!ImageAnswers.IsThisPlatform(platform))
                throw new ApiException(404, $"this host keeps images of {ImageAnswers.ThisPlatform} alone, none of {platform}");
        }
    }

    private static string Read(string json, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.String
                ? root.GetString() ?? ""
                : $"{root.GetProperty("os").GetString()}/{root.GetProperty("architecture").GetString()}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ApiException(400, $"query parameter '{name}' is no platform: {e.Message}", inner: e);
        }
    }
}
