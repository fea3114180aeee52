namespace Orchestrator.Worker.Agent;

/// <summary>Whether somebody is being answered, from the text of <c>/proc/PID/net/tcp</c> (proc(5); states as in the kernel's <c>tcp_states.h</c>).</summary>
internal static class ServedConnections
{
    private const string Listening = "0A";

    /// <summary>Established, half-open, half-closed by the other side, or with an answer that is not acknowledged yet.</summary>
    private static readonly string[] Open = ["01", "03", "04", "08", "09"];

    /// <summary>Only connections to a port that is listened on count: those that the task itself made to others may stay open for ever.</summary>
    internal static bool Any(params ReadOnlySpan<string> tables)
    {
        var listened = new HashSet<string>(StringComparer.Ordinal);
        var served = new List<string>();
        foreach (var table in tables)
        {
            foreach (var line in table.Split('\n').Skip(1))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [_, var local, _, var state, ..])
                    continue;
                var port = local[(local.IndexOf(':') + 1)..];
                if (state == Listening)
                    listened.Add(port);
                else if (Open.Contains(state))
                    served.Add(port);
            }
        }

        return served.Exists(listened.Contains);
    }
}
