using System.Reflection;

namespace Orchestrator.Tests.Unit.Architecture;

public sealed class DependencyTests
{
    [Theory]
    [InlineData("Orchestrator.Manager", "Orchestrator.Worker")]
    [InlineData("Orchestrator.Worker", "Orchestrator.Manager")]
    [InlineData("Orchestrator.Shared", "Orchestrator.Manager")]
    [InlineData("Orchestrator.Shared", "Orchestrator.Worker")]
    public void An_assembly_does_not_reference_the_other(string from, string to)
    {
        var references = Assembly.Load(from).GetReferencedAssemblies();
        Assert.DoesNotContain(references, r => r.Name == to);
    }
}
