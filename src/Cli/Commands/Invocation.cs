using System.CommandLine;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands;

/// <summary>One call of one command: its arguments and what surrounds it. The client is made when first asked for.</summary>
internal sealed class Invocation(ParseResult parsed, Shell shell, EngineClient? client = null) : IDisposable
{
    private EngineClient? _client = client;

    internal Shell Shell => shell;

    internal EngineClient Client => _client ??= shell.Connect(RootFlags.Of(parsed));

    /// <summary>The same call over a client of the caller's choosing.</summary>
    internal Invocation With(EngineClient other) => new(parsed, shell, other);

    internal DateTimeOffset Now => shell.Time.GetUtcNow();

    internal T? Get<T>(Option<T> option) => parsed.GetValue(option);

    internal T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    internal bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    public void Dispose() => _client?.Dispose();
}

/// <summary>What a command does; the number is the exit code.</summary>
internal delegate Task<int> CommandAction(Invocation call, CancellationToken stop);
