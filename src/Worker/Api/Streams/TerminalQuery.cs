using Orchestrator.Shared.Http;

namespace Orchestrator.Worker.Api.Streams;

/// <summary>What calls say about terminals.</summary>
internal static class TerminalQuery
{
    internal static (int Rows, int Columns) Size(ApiRequest request) => (One(request, "h"), One(request, "w"));

    /// <summary>The keys for leaving; null or empty text is Docker's <c>ctrl-p,ctrl-q</c>.</summary>
    internal static DetachKeys Keys(string? text)
    {
        var (keys, error) = DetachKeys.Parse(text);
        return keys ?? throw new ApiException(400, error!);
    }

    private static int One(ApiRequest request, string name) => request.Number(name) is <= ushort.MaxValue and var number
        ? (int)number
        : throw new ApiException(400, $"query parameter '{name}' must be a number from 0 to 65535");
}
