using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Logs;

/// <summary>The flags that <c>logs</c> has wherever it stands.</summary>
internal sealed class LogFlags
{
    private readonly Option<bool> _follow = Flags.Switch("--follow", "Follow log output", "-f");
    private readonly Option<string?> _since = Flags.Text("--since", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)");
    private readonly Option<string?> _until = Flags.Text("--until", "Show logs before a timestamp or relative time");
    private readonly Option<string?> _tail = Flags.Text("--tail", "Number of lines to show from the end of the logs", "string", "-n");
    private readonly Option<bool> _timestamps = Flags.Switch("--timestamps", "Show timestamps", "-t");
    private readonly Option<bool> _details = Flags.Switch("--details", "Show extra details provided to logs");

    internal IEnumerable<Option> All => [_follow, _since, _until, _tail, _timestamps, _details];

    internal bool Timestamps(Invocation call) => call.Get(_timestamps);

    internal string Path(Invocation call, string path, bool details)
    {
        var tail = call.Get(_tail);
        if (tail is not (null or "all") && !ulong.TryParse(tail, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw new CommandException($"invalid value '{tail}' for --tail: it must be a whole number or 'all'");
        return EngineClient.Query(
            path,
            ("stdout", "1"),
            ("stderr", "1"),
            ("follow", call.Get(_follow) ? "1" : null),
            ("since", TimeFlag.Unix(call.Get(_since), call.Now)),
            ("until", TimeFlag.Unix(call.Get(_until), call.Now)),
            ("tail", tail),
            ("timestamps", call.Get(_timestamps) ? "1" : null),
            ("details", details || call.Get(_details) ? "1" : null));
    }
}
