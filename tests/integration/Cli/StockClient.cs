namespace Orchestrator.Tests.Integration.Cli;

/// <summary>The docker client on this machine.</summary>
internal static class StockClient
{
    internal static void Require() => Assert.SkipUnless(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
}
