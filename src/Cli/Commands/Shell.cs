using Orchestrator.Cli.Client;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Commands;

/// <summary>What surrounds one run of the command line; tests give their own.</summary>
internal sealed class Shell
{
    internal required TextWriter Out { get; init; }
    internal required TextWriter Error { get; init; }

    /// <summary>Opened on use only: opening the console's input costs time.</summary>
    internal required Func<Stream> OpenInput { get; init; }

    /// <summary>Standard output's and error's bytes, for logs, which need not be text.</summary>
    internal required Stream RawOut { get; init; }
    internal required Stream RawError { get; init; }
    internal required IReadOnlyDictionary<string, string> Environment { get; init; }
    internal required string Folder { get; init; }
    internal required TimeProvider Time { get; init; }

    /// <summary>Standard output is a terminal, so lines may be drawn again.</summary>
    internal bool IsTerminal { get; init; }

    /// <summary>Standard input is a terminal, so keys may be taken as they are pressed.</summary>
    internal bool InputIsTerminal { get; init; }

    /// <summary>While it is set, SIGINT and SIGTERM are the command's own matter and do not end it.</summary>
    internal bool KeepsSignals { get; set; }

    internal string Home => Environment.GetValueOrDefault("HOME") ?? "/";

    internal EngineClient Connect(EngineFlags flags) => new(EngineAddress.Find(flags, Environment), Time);

    internal static Shell OfProcess() => new()
    {
        Out = new StreamWriter(new StandardStream(1), new System.Text.UTF8Encoding(false), 4096) { AutoFlush = false },
        Error = new StreamWriter(new StandardStream(2), new System.Text.UTF8Encoding(false), 1024) { AutoFlush = true },
        OpenInput = () => new StandardStream(0),
        RawOut = new StandardStream(1),
        RawError = new StandardStream(2),
        Environment = EnvironmentOfProcess(),
        Folder = Directory.GetCurrentDirectory(),
        Time = TimeProvider.System,
        IsTerminal = ConsoleMode.IsTerminal(1),
        InputIsTerminal = ConsoleMode.IsTerminal(0),
    };

    private static Dictionary<string, string> EnvironmentOfProcess()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        return variables;
    }
}
