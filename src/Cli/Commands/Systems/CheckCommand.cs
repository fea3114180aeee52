using System.CommandLine;
using Orchestrator.Cli.Daemon;
using Orchestrator.Worker.Diagnosis;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary><c>orch system check</c>: what this host offers to containers, with no daemon needed. Exit code 1 when containers cannot run.</summary>
internal static class CheckCommand
{
    internal static Command Create(Shell shell)
    {
        var dataRoot = Flags.Text("--data-root", $"Where the daemon's state lies or will lie (default {DaemonOptions.DefaultDataRoot})", "path");
        return new Command("check", "Say what this host offers to containers, and what to do about what is missing").Does(shell, [dataRoot], async (call, _) =>
        {
            var probe = await HostProber.ReadAsync(Path.GetFullPath(call.Get(dataRoot) ?? DaemonOptions.DefaultDataRoot, shell.Folder));
            var findings = HostFindings.Of(probe);
            var width = findings.Max(f => f.Subject.Length);
            foreach (var finding in findings)
            {
                await shell.Out.WriteLineAsync($"{Mark(finding.Level)} {finding.Subject.PadRight(width)}  {finding.Text}");
                if (finding.Advice is { } advice)
                    await shell.Out.WriteLineAsync($"{new string(' ', width + 10)}{advice}");
            }
            return findings.Any(f => f.Level == FindingLevel.Missing) ? 1 : 0;
        });
    }

    private static string Mark(FindingLevel level) => level switch
    {
        FindingLevel.Good => "ok     ",
        FindingLevel.Limited => "limited",
        _ => "missing",
    };
}
