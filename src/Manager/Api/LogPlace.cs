using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary>How far a log was read, so that it can be taken up again: nothing twice and nothing left out, also among records of one moment.</summary>
internal sealed class LogPlace(LogQuery query)
{
    private DateTimeOffset? last;
    private int seen;
    private int skip;

    /// <summary>What is to be asked for now.</summary>
    internal LogQuery Next()
    {
        skip = seen;
        return last is { } moment ? query with { Since = moment, Tail = null } : query;
    }

    /// <summary>Whether the record is a new one.</summary>
    internal bool Passes(LogRecord record)
    {
        if (record.Time != last)
            (last, seen, skip) = (record.Time, 0, 0);
        else if (skip > 0)
        {
            skip--;
            return false;
        }

        seen++;
        return true;
    }
}
