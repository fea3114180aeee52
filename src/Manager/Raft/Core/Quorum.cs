namespace Orchestrator.Manager.Raft.Core;

/// <summary>How a set of votes stands.</summary>
internal enum Tally
{
    Pending,
    Won,
    Lost,
}

/// <summary>Arithmetic of majorities.</summary>
internal static class Quorum
{
    internal static int Majority(int voters) => (voters / 2) + 1;

    /// <summary>The highest index that a majority holds.</summary>
    internal static ulong Committed(ReadOnlySpan<ulong> matches)
    {
        Span<ulong> sorted = stackalloc ulong[matches.Length];
        matches.CopyTo(sorted);
        sorted.Sort();
        return sorted[matches.Length - Majority(matches.Length)];
    }

    internal static Tally Count(int voters, int yes, int no)
    {
        if (yes >= Majority(voters))
            return Tally.Won;
        return no > voters - Majority(voters) ? Tally.Lost : Tally.Pending;
    }
}
