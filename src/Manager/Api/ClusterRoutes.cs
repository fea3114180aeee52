using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;

namespace Orchestrator.Manager.Api;

/// <summary>
/// Routes whose handlers see everything that was acknowledged before the call, by whichever manager: the state is brought up to date first.
/// What only creates needs no look at it and goes to the log at once.
/// </summary>
/// <param name="router">Takes the routes.</param>
/// <param name="door">To the cluster.</param>
/// <param name="orStale">True: a route that serves this host too, which has to work while no manager can be asked.</param>
internal sealed class ClusterRoutes(ApiRouter router, ClusterDoor door, bool orStale = false)
{
    internal void Map(string method, string template, ApiHandler handler)
    {
        if (template.EndsWith("/create", StringComparison.Ordinal))
            router.Map(method, template, handler);
        else
            router.Map(method, template, request => FreshAsync(request, handler));
    }

    private async Task FreshAsync(ApiRequest request, ApiHandler handler)
    {
        try
        {
            if (!orStale || door.StateOrNone is not null)
                await door.FreshAsync(request.Stop);
        }
        catch (ClusterUnavailableException) when (orStale)
        {
            // The host's own answer is right, and the cluster's part of it as it was last known.
        }

        await handler(request);
    }
}
