using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Http;

/// <summary>A request that ends with an error answer; thrown by handlers, written once at the API's edge.</summary>
public sealed class ApiException(int status, string message, IReadOnlyList<Problem>? problems = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The HTTP status code.</summary>
    public int Status { get; } = status;

    /// <summary>Every problem found, where there is a list of them.</summary>
    public IReadOnlyList<Problem> Problems { get; } = problems ?? [];
}
