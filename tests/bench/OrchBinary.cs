namespace Orchestrator.Tests.Bench;

/// <summary>The release binary under measurement: figures of a development build say nothing.</summary>
internal static class OrchBinary
{
    internal static string Path { get; } = System.IO.Path.GetFullPath(
        Environment.GetEnvironmentVariable("ORCH_BINARY") ?? throw new InvalidOperationException("set ORCH_BINARY to the release binary (build/release/orch)"));
}
