using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Where and how a container's output is kept. What a log driver and its options may be is in <see cref="LogOptions"/>.</summary>
internal static class LogPlan
{
    internal const string Driver = LogOptions.JsonFile;

    private const string Where = "HostConfig.LogConfig";
    private const long LocalSize = 20L << 20;
    private const int LocalFiles = 5;
    private const long DefaultBuffer = 1L << 20;

    internal static void Check(LogConfig? log, List<Problem> problems)
    {
        if (log is not null)
            problems.AddRange(LogOptions.Check(log.Type, log.Config).Select(p => new Problem(Where, p)));
    }

    /// <summary>The daemon's way of logging where the request names none; its options belong to its driver.</summary>
    internal static HostConfig Fill(HostConfig host, LogConfig standard)
    {
        if (host.LogConfig is null or { Type.Length: 0, Config.Count: 0 })
            return host with { LogConfig = standard };
        return host.LogConfig.Type.Length == 0 ? host with { LogConfig = host.LogConfig with { Type = standard.Type } } : host;
    }

    /// <summary>What inspect calls the log's path: only json-file's is for other programs to read.</summary>
    internal static string ShownPath(ContainerDirectory directory, StoredContainer container) =>
        Of(directory, container).Format == LogFormat.Json ? directory.Log : "";

    internal static LogTarget Of(ContainerDirectory directory, StoredContainer container)
    {
        var log = container.HostConfig.LogConfig ?? new LogConfig();
        var target = log.Type switch
        {
            LogOptions.Local => new LogTarget
            {
                Path = directory.LocalLog,
                Format = LogFormat.Compact,
                MaxSizeBytes = SizeOf(log, "max-size") ?? LocalSize,
                MaxFiles = FilesOf(log) ?? LocalFiles,
                Compress = (Flag(log, "compress") ?? true) && (FilesOf(log) ?? LocalFiles) > 1,
            },
            LogOptions.None => new LogTarget { Path = directory.Log, Format = LogFormat.None },
            _ => new LogTarget
            {
                Path = directory.Log,
                MaxSizeBytes = log.Config.TryGetValue("max-size", out var size) && size != "-1" ? LogOptions.Size(size) : null,
                MaxFiles = FilesOf(log) ?? 1,
                Compress = Flag(log, "compress") ?? false,
                Attributes = Attributes(log, container),
            },
        };
        return log.Config.GetValueOrDefault("mode") == "non-blocking" ? target with { BufferBytes = SizeOf(log, "max-buffer-size") ?? DefaultBuffer } : target;
    }

    private static ImmutableDictionary<string, string> Attributes(LogConfig log, StoredContainer container)
    {
        var noted = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var config = container.Config;
        Note("labels", config.Labels);
        Note("env", config.Env.Select(e => e.Split('=', 2)).Where(e => e.Length == 2).DistinctBy(e => e[0]).ToDictionary(e => e[0], e => e[1], StringComparer.Ordinal));
        if (log.Config.TryGetValue("tag", out var tag) && tag.Length > 0)
            noted["tag"] = LogTag.Of(tag, container);
        return noted.ToImmutable();

        void Note(string option, IReadOnlyDictionary<string, string> values)
        {
            foreach (var name in log.Config.GetValueOrDefault(option, "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (values.TryGetValue(name, out var value))
                    noted[name] = value;
            }

            if (log.Config.GetValueOrDefault(option + "-regex", "") is not { Length: > 0 } pattern)
                return;
            foreach (var (name, value) in values.Where(v => Regex.IsMatch(v.Key, pattern, RegexOptions.NonBacktracking)))
                noted[name] = value;
        }
    }

    private static long? SizeOf(LogConfig log, string option) => log.Config.TryGetValue(option, out var size) && size != "-1" ? LogOptions.Size(size) : null;

    private static int? FilesOf(LogConfig log) =>
        log.Config.TryGetValue("max-file", out var files) ? int.Parse(files, CultureInfo.InvariantCulture) : null;

    private static bool? Flag(LogConfig log, string option) => log.Config.TryGetValue(option, out var text) ? text is "true" or "1" or "t" or "T" or "TRUE" or "True" : null;
}
