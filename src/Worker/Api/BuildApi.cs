using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Worker.Api;

/// <summary><c>POST /build</c>: the classic builder.</summary>
internal sealed class BuildApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("POST", "/build", r =>
        {
            var request = Read(r);
            return ProgressLines.RunAsync(r, progress => parts.Images.BuildAsync(request, parts.BuildRunner, progress, r.Stop));
        });
        router.Map("POST", "/build/prune", async r =>
        {
            foreach (var amount in new[] { "keep-storage", "reserved-space", "max-used-space", "min-free-space" })
            {
                if (r.Query(amount) is not (null or "" or "0"))
                    throw new ApiException(400, $"'{amount}' is not there: the build cache is pruned as a whole, or what is older than the filter 'until'");
            }

            var now = parts.Time.GetUtcNow();
            var filters = r.Filters("until");
            var until = filters["until"] switch
            {
                [] => now,
                [var text] => ApiTimes.Parse(text, now) ?? throw new ApiException(400, $"invalid filter 'until={text}': write a time or a duration such as 24h"),
                _ => throw new ApiException(400, "the filter 'until' takes one value"),
            };
            var report = await parts.Images.PruneBuildCacheAsync(until, r.Stop);
            await r.ReplyAsync(
                new BuildPruneReply([.. report.Removed.Select(i => i.Deleted ?? i.Untagged ?? "")], report.SpaceReclaimed), EngineJson.Default.BuildPruneReply);
        });
        router.Map("POST", "/build/cancel", _ => throw new ApiException(501, "builds of orch end when their client leaves; there is no id to cancel by"));
    }

    /// <summary>Takes the query apart; everything that cannot be honoured is refused at once.</summary>
    internal static BuildRequest Read(ApiRequest request)
    {
        var problems = new List<Problem>();
        void Refuse(string name, Func<string, bool> harmless, string message)
        {
            if (request.Query(name) is { } text && !harmless(text))
                problems.Add(new Problem(name, message));
        }

        Refuse("version", v => v is "" or "1", "BuildKit is not there: build with DOCKER_BUILDKIT=0");
        Refuse("remote", v => v.Length == 0, "building from a URL is not there yet: send the context");
        Refuse("pull", v => v is "" or "0" or "false", "pulling from registries is not there yet");
        Refuse("squash", v => v is "" or "0" or "false", "squashing layers is not there");
        Refuse("outputs", v => v.Length == 0, "outputs other than an image are not there");
        Refuse("cachefrom", v => v is "" or "null" or "[]", "taking the build cache from other images is not there yet");
        Refuse("networkmode", v => v is "" or "default" or "bridge", "RUN steps use the default network; other network modes are not there yet");
        Refuse("platform", v => v.Length == 0 || ImageAnswers.IsThisPlatform(v), $"this host builds for {ImageAnswers.ThisPlatform}");
        foreach (var limit in new[] { "memory", "memswap", "cpushares", "cpuperiod", "cpuquota", "shmsize" })
            Refuse(limit, v => v is "" or "0", "limits of RUN steps are not there yet");
        Refuse("cpusetcpus", v => v.Length == 0, "limits of RUN steps are not there yet");
        Refuse("cpusetmems", v => v.Length == 0, "limits of RUN steps are not there yet");
        Refuse("cgroupparent", v => v.Length == 0, "RUN steps run below the daemon's own cgroup");
        Refuse("ulimits", v => v is "" or "null" or "[]", "limits of RUN steps are not there yet");
        Refuse("securityopt", v => v is "" or "null" or "[]", "security options of RUN steps are not there yet");
        var arguments = Map(request, "buildargs", problems);
        var labels = Map(request, "labels", problems);
        if (problems.Count > 0)
            throw new ApiException(400, string.Join("; ", problems), problems);
        return new BuildRequest
        {
            Context = request.Http.Request.Body,
            DockerfilePath = request.Query("dockerfile") is { Length: > 0 } path ? path : "Dockerfile",
            Tags = [.. request.Queries("t").Where(t => t.Length > 0)],
            BuildArgs = arguments.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Labels = labels.ToImmutableSortedDictionary(l => l.Key, l => l.Value ?? "", StringComparer.Ordinal),
            Target = request.Query("target") is { Length: > 0 } target ? target : null,
            NoCache = request.Flag("nocache"),
            Quiet = request.Flag("q"),
            ExtraHosts = ExtraHosts(request.Query("extrahosts")),
        };
    }

    private static Dictionary<string, string?> Map(ApiRequest request, string name, List<Problem> problems) =>
        Parse(request.Query(name), EngineJson.Default.DictionaryStringString, name, problems) ?? [];

    private static T? Parse<T>(string? text, JsonTypeInfo<T> type, string name, List<Problem> problems) where T : class
    {
        if (string.IsNullOrEmpty(text))
            return null;
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException e)
        {
            problems.Add(new Problem(name, $"not a JSON object of strings: {e.Message}"));
            return null;
        }
    }

    /// <summary>A JSON list, or names separated by commas, each <c>name:address</c>.</summary>
    private static ImmutableArray<string> ExtraHosts(string? text)
    {
        if (string.IsNullOrEmpty(text) || text == "null")
            return [];
        if (!text.StartsWith('['))
            return [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        try
        {
            return [.. JsonSerializer.Deserialize(text, EngineJson.Default.ListString) ?? []];
        }
        catch (JsonException e)
        {
            throw new ApiException(400, $"query parameter 'extrahosts' is not a list of name:address: {e.Message}", inner: e);
        }
    }
}
