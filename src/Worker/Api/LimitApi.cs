using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Api;

/// <summary>Pausing containers, changing their limits, and what they use.</summary>
internal sealed class LimitApi(EngineParts parts)
{
    /// <summary>As often as Docker's.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    internal void Map(ApiRouter router)
    {
        router.Map("POST", "/containers/{id}/pause", PauseAsync);
        router.Map("POST", "/containers/{id}/unpause", UnpauseAsync);
        router.Map("POST", "/containers/{id}/update", UpdateAsync);
        router.Map("GET", "/containers/{id}/top", TopAsync);
        router.Map("GET", "/containers/{id}/stats", StatsAsync);
    }

    private async Task PauseAsync(ApiRequest request)
    {
        await parts.Containers.PauseAsync(request.Argument("id"), request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task UnpauseAsync(ApiRequest request)
    {
        await parts.Containers.UnpauseAsync(request.Argument("id"), request.Stop);
        await request.ReplyAsync(204);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        var wanted = await request.WholeBodyAsync<ContainerUpdateRequest>();
        await request.ReplyAsync(new ContainerUpdateReply { Warnings = await parts.Containers.UpdateAsync(request.Argument("id"), wanted, request.Stop) });
    }

    private async Task TopAsync(ApiRequest request) =>
        await request.ReplyAsync(await parts.Containers.ListProcessesAsync(request.Argument("id"), request.Query("ps_args"), request.Stop));

    /// <summary>A stream's first reading has none before it; a single one waits for a second reading, unless it is to be at once.</summary>
    private async Task StatsAsync(ApiRequest request)
    {
        var (stream, oneShot) = (request.Flag("stream", otherwise: true), request.Flag("one-shot"));
        if (stream && oneShot)
            throw new ApiException(400, "cannot have stream=true and one-shot=true");
        var reading = await ReadAsync(request, null);
        if (!stream)
        {
            if (!oneShot && reading.Read != default)
            {
                await Task.Delay(Interval, parts.Time, request.Stop);
                reading = await ReadAsync(request, reading);
            }
            await request.ReplyAsync(reading);
            return;
        }

        var lines = await request.LinesAsync();
        while (true)
        {
            await lines.WriteAsync(reading, request.Stop);
            await Task.Delay(Interval, parts.Time, request.Stop);
            if (parts.Containers.TryFind(reading.Id) is null)
                return; // removed: the stream is at its end
            reading = await ReadAsync(request, reading);
        }
    }

    private async Task<ContainerStats> ReadAsync(ApiRequest request, ContainerStats? before)
    {
        var reading = await parts.Containers.ReadStatsAsync(before?.Id ?? request.Argument("id"), request.Stop);
        return before is null ? reading : reading with { PreRead = before.Read, PreCpu = before.Cpu };
    }
}
