using System.Globalization;
using System.Runtime.InteropServices;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Agent;

/// <summary>What this machine says of itself to the cluster.</summary>
internal static class NodeFacts
{
    internal static NodeDescription Describe(string engineVersion, IReadOnlyDictionary<string, string> labels) => new()
    {
        Hostname = Environment.MachineName,
        Platform = new Platform
        {
            Os = "linux",
            Architecture = RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x86_64",
                Architecture.Arm64 => "aarch64",
                var other => other.ToString().ToLowerInvariant(),
            },
        },
        Resources = new ResourceAmounts
        {
            NanoCpus = Environment.ProcessorCount * 1_000_000_000L,
            MemoryBytes = TotalMemory(File.ReadAllText("/proc/meminfo")),
        },
        Engine = new EngineDescription
        {
            EngineVersion = engineVersion,
            Labels = labels,
            Plugins =
            [
                new PluginDescription { Type = "Log", Name = "json-file" },
                new PluginDescription { Type = "Network", Name = "bridge" },
                new PluginDescription { Type = "Network", Name = "overlay" },
            ],
        },
    };

    /// <summary>Bytes, from the text of /proc/meminfo.</summary>
    internal static long TotalMemory(string meminfo)
    {
        foreach (var line in meminfo.Split('\n'))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal))
            {
                var number = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
                return long.Parse(number, CultureInfo.InvariantCulture) << 10;
            }
        }

        throw new InvalidDataException("/proc/meminfo has no MemTotal");
    }
}
