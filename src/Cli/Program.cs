using System.Text;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Daemon;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli;

/// <summary>The <c>orch</c> binary.</summary>
internal static class Program
{
    /// <summary>The assembly's, as a literal for the fast path; a test holds the two together.</summary>
    internal const string Version = "0.1.0";

    /// <summary>The version is answered before anything heavy is touched: scripts ask for it all the time.</summary>
    private static int Main(string[] args)
    {
        if (args is ["--version" or "-v"])
        {
            using var output = new StandardStream(1);
            output.Write(Encoding.UTF8.GetBytes($"orch version {Version}\n"));
            return 0;
        }
        if (args is ["shim", .. var shim])
            return ShimHost.RunAsync(shim).GetAwaiter().GetResult();
        var code = CommandLine.RunAsync(args, Shell.OfProcess(), CancellationToken.None).GetAwaiter().GetResult();
        // What a command prints has been written and what it began has been ended; a daemon takes its leave as the framework has it.
        if (!args.Contains("daemon"))
            Self.End(code);
        return code;
    }
}
