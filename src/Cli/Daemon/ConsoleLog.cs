using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Cli.Daemon;

/// <summary>One line per event on standard error: time, level, room, sentence; an exception's lines follow it indented.</summary>
internal sealed class ConsoleLog(TextWriter target, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _guard = new();

    /// <summary>Loggers of the daemon; Kestrel's own are heard from warning on.</summary>
    internal static ILoggerFactory Factory(LogLevel least, TimeProvider time)
    {
        var options = new LoggerFilterOptions { MinLevel = least };
        options.Rules.Add(new LoggerFilterRule(null, "Microsoft", least > LogLevel.Warning ? least : LogLevel.Warning, null));
        return new LoggerFactory([new ConsoleLog(Console.Error, time)], options);
    }

    public ILogger CreateLogger(string categoryName) =>
        new Lines(this, categoryName.StartsWith("Orchestrator.", StringComparison.Ordinal) ? categoryName["Orchestrator.".Length..] : categoryName);

    public void Dispose()
    {
        lock (_guard)
            target.Flush();
    }

    private void Write(string category, LogLevel level, string message, Exception? failure)
    {
        var line = new StringBuilder()
            .Append(time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture))
            .Append(' ').Append(Short(level)).Append(' ').Append(category).Append(": ").Append(message.ReplaceLineEndings(" ")).Append('\n');
        if (failure is not null)
            line.Append("    ").Append(failure.ToString().ReplaceLineEndings("\n    ")).Append('\n');
        lock (_guard)
            target.Write(line.ToString());
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRC",
        LogLevel.Debug => "DBG",
        LogLevel.Information => "INF",
        LogLevel.Warning => "WRN",
        LogLevel.Error => "ERR",
        _ => "CRT",
    };

    private sealed class Lines(ConsoleLog owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Write(category, logLevel, formatter(state, exception), exception);
    }
}
