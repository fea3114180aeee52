namespace Orchestrator.Shared.Hosting;

/// <summary>Exponential delays with a ceiling. Pure: the attempt and the jitter are arguments.</summary>
public sealed record Backoff
{
    public TimeSpan First
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMilliseconds(100);

    public TimeSpan Most
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromSeconds(30);

    public double Factor
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 2;

    /// <summary>The delay before attempt number <paramref name="attempt"/> (the first retry is 1).</summary>
    /// <param name="attempt">Zero or less means no delay.</param>
    /// <param name="jitter">In [0, 1): takes away up to half of the delay, so that many waiters spread out.</param>
    public TimeSpan Delay(int attempt, double jitter)
    {
        if (jitter is < 0 or >= 1)
            throw new ArgumentOutOfRangeException(nameof(jitter), jitter, "jitter lies in [0, 1)");
        if (attempt <= 0)
            return TimeSpan.Zero;
        var full = Math.Min(First.TotalMilliseconds * Math.Pow(Factor, attempt - 1), Most.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(full * (1 - (jitter / 2)));
    }
}
