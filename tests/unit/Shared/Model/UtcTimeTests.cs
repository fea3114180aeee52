using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Shared.Model;

public sealed class UtcTimeTests
{
    [Theory]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("2026-11-22T02:48:32.5+00:00", "2026-11-22T02:48:32.5Z")]
    [InlineData("2026-11-22T02:48:32.123456789Z", "2026-11-22T02:48:32.1234567Z")]
    [InlineData("2026-11-22T02:48:32+02:00", "2026-11-22T02:48:32+02:00")]
    public void Times_are_written_as_go_writes_them(string read, string written)
    {
        var state = ModelJson.Read<ContainerInspect>(Encoding.UTF8.GetBytes($$$"""{"Id":"x","State":{"FinishedAt":"{{{read}}}"}}"""));
        Assert.Contains($"\"FinishedAt\":\"{written}\"", Encoding.UTF8.GetString(ModelJson.Write(state)), StringComparison.Ordinal);
    }
}
