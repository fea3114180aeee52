using System.Globalization;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Worker.Api;

/// <summary><c>/containers</c>: this host's containers and their lives.</summary>
internal sealed class ContainerApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/containers/json", ListAsync);
        router.Map("POST", "/containers/create", CreateAsync);
        router.Map("POST", "/containers/prune", PruneAsync);
        router.Map("GET", "/containers/{id}/json", InspectAsync);
        router.Map("GET", "/containers/{id}/logs", LogsAsync);
        router.Map("POST", "/containers/{id}/start", StartAsync);
        router.Map("POST", "/containers/{id}/stop", StopAsync);
        router.Map("POST", "/containers/{id}/restart", RestartAsync);
        router.Map("POST", "/containers/{id}/kill", KillAsync);
        router.Map("POST", "/containers/{id}/rename", RenameAsync);
        router.Map("POST", "/containers/{id}/wait", WaitAsync);
        router.Map("DELETE", "/containers/{id}", RemoveAsync);
    }

    private async Task ListAsync(ApiRequest request)
    {
        var limit = request.Query("limit") is { Length: > 0 } text && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : (int?)null;
        var found = parts.Containers.List(new ContainerQuery
        {
            All = request.Flag("all"),
            Limit = limit,
            Filters = request.Filters(ContainerQuery.KnownFilters).Values,
        });
        await request.ReplyAsync(request.Flag("size") ? await parts.Containers.WithSizesAsync(found, request.Stop) : found);
    }

    private async Task InspectAsync(ApiRequest request)
    {
        var inspected = parts.Containers.Inspect(request.Argument("id"));
        if (request.Flag("size") && await parts.Containers.SizeAsync(inspected.Id, request.Stop) is { } size)
            inspected = inspected with { SizeRw = size.Written, SizeRootFs = size.Root };
        await request.ReplyAsync(inspected);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        if (request.Query("platform") is { Length: > 0 } platform && !ImageAnswers.IsThisPlatform(platform))
            throw new ApiException(400, $"this host runs {ImageAnswers.ThisPlatform}, not {platform}");
        var wanted = await request.WholeBodyAsync<ContainerCreateRequest>();
        var name = request.Query("name")?.TrimStart('/');
        var made = await parts.Containers.CreateAsync(wanted, name is "" ? null : name, request.Stop);
        await request.ReplyAsync(new ContainerCreateReply { Id = made.Id, Warnings = made.Warnings }, 201);
    }

    private async Task StartAsync(ApiRequest request) =>
        await request.ReplyAsync(await parts.Containers.StartAsync(request.Argument("id"), request.Stop) ? 204 : 304);

    private async Task StopAsync(ApiRequest request) =>
        await request.ReplyAsync(await parts.Containers.StopAsync(request.Argument("id"), Grace(request), request.Query("signal"), request.Stop) ? 204 : 304);

    private async Task RestartAsync(ApiRequest request)
    {
        await parts.Containers.RestartAsync(request.Argument("id"), Grace(request), request.Query("signal"), request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task KillAsync(ApiRequest request)
    {
        await parts.Containers.KillAsync(request.Argument("id"), request.Query("signal") is { Length: > 0 } signal ? signal : null, request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task RenameAsync(ApiRequest request)
    {
        var name = request.Query("name")?.TrimStart('/');
        if (string.IsNullOrEmpty(name))
            throw new ApiException(400, "query parameter 'name' is required");
        await parts.Containers.RenameAsync(request.Argument("id"), name, request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        if (request.Flag("link"))
            throw new ApiException(400, "orch has no container links, so there is none to remove");
        await parts.Containers.RemoveAsync(request.Argument("id"), request.Flag("force"), request.Flag("v"), request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task WaitAsync(ApiRequest request)
    {
        var condition = request.Query("condition") switch
        {
            null or "" or "not-running" => WaitCondition.NotRunning,
            "next-exit" => WaitCondition.NextExit,
            "removed" => WaitCondition.Removed,
            var other => throw new ApiException(400, $"invalid condition: \"{other}\"; use not-running, next-exit or removed"),
        };
        var ended = parts.Containers.WaitAsync(request.Argument("id"), condition, request.Stop);
        // The client starts the container when it sees the headers: they go before the wait.
        request.Http.Response.ContentType = "application/json";
        await request.Http.Response.StartAsync(request.Stop);
        await request.Http.Response.BodyWriter.FlushAsync(request.Stop);
        await request.Http.Response.Body.WriteAsync(ModelJson.Write(await ended), request.Stop);
    }

    private async Task LogsAsync(ApiRequest request)
    {
        var reference = request.Argument("id");
        var query = request.LogQuery(parts.Time.GetUtcNow());
        var tty = parts.Containers.Inspect(reference).Config.Tty;
        var records = parts.Containers.ReadLogsAsync(reference, query, request.Stop);
        var frames = await request.LogAsync(tty ? LogFraming.Raw : LogFraming.Multiplexed, request.Flag("timestamps"));
        var details = request.Flag("details");
        await frames.WriteAllAsync(
            records, (record, frame) => frame.Write(record, details && record.Attributes is { } attributes ? LogFrames.Details([.. attributes]) : ""), request.Stop);
    }

    private async Task PruneAsync(ApiRequest request)
    {
        var now = parts.Time.GetUtcNow();
        var filters = request.Filters("label", "label!", "until");
        var until = filters["until"] is [var text] ? ApiTimes.Parse(text, now) ?? throw new ApiException(400, $"invalid filter 'until={text}'") : now;
        var (removed, bytes) = (new List<string>(), 0L);
        foreach (var container in parts.Containers.List(new ContainerQuery { All = true }))
        {
            if (container.State is not ("created" or "exited" or "dead") || container.Created > until.ToUnixTimeSeconds()
                || !filters.Labels("label", container.Labels) || filters["label!"].Any(l => ApiFilters.HasLabel(container.Labels, l)))
            {
                continue;
            }

            var size = await parts.Containers.SizeAsync(container.Id, request.Stop);
            await parts.Containers.RemoveAsync(container.Id, force: false, volumes: false, request.Stop);
            removed.Add(container.Id);
            bytes += size?.Written ?? 0;
        }

        await request.ReplyAsync(new ContainerPruneReply(removed, bytes), EngineJson.Default.ContainerPruneReply);
    }

    /// <summary>Seconds; -1 waits for ever; absent leaves it to the container.</summary>
    private static TimeSpan? Grace(ApiRequest request) => request.Query("t") switch
    {
        null or "" => null,
        var text when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) => TimeSpan.FromSeconds(seconds),
        var text => throw new ApiException(400, $"query parameter 't' must be a number of seconds, not '{text}'"),
    };
}
