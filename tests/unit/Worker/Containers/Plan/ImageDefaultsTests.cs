using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class ImageDefaultsTests
{
    // Columns: asked entrypoint, asked command, image entrypoint, image command, what is executed. "-" is null, "" is an empty list.
    [Theory]
    [InlineData("-", "-", "-", "sh", "sh")]
    [InlineData("-", "-", "init", "sh", "init sh")]
    [InlineData("-", "ls /", "init", "sh", "init ls /")]
    [InlineData("-", "ls /", "-", "sh", "ls /")]
    [InlineData("other", "-", "init", "sh", "other")]
    [InlineData("other", "x", "init", "sh", "other x")]
    [InlineData("", "-", "init", "sh", "sh")]
    [InlineData("\"\"", "-", "init", "sh", "")]
    [InlineData("\"\"", "x", "init", "sh", "x")]
    [InlineData("-", "-", "-", "-", "")]
    public void Entrypoint_and_command_follow_dockers_rules(string entrypoint, string command, string imageEntrypoint, string imageCommand, string expected)
    {
        var merged = ImageDefaults.Merge(
            new ContainerConfig { Entrypoint = Words(entrypoint), Cmd = Words(command) },
            new ImageConfig { Entrypoint = Words(imageEntrypoint)?.ToImmutableArray(), Cmd = Words(imageCommand)?.ToImmutableArray() });
        Assert.Equal(expected, string.Join(' ', [.. merged.Entrypoint ?? [], .. merged.Cmd ?? []]));
    }

    [Fact]
    public void A_variable_of_the_request_takes_the_place_of_the_images()
    {
        var merged = ImageDefaults.Merge(new ContainerConfig { Env = ["A=mine", "C"] }, new ImageConfig { Env = ["A=image", "B=image", "C=image"] });
        Assert.Equal(["A=mine", "C", "B=image"], merged.Env);
    }

    [Theory]
    [InlineData("PATH=/bin", "PATH=/bin|HOSTNAME=h|HOME=/root")]
    [InlineData("PATH", "HOSTNAME=h|HOME=/root")]
    [InlineData("HOME=/data|X=", "PATH=*|HOSTNAME=h|HOME=/data|X=")]
    [InlineData("X=1|X=2", "PATH=*|HOSTNAME=h|X=2|HOME=/root")]
    public void The_environment_has_the_engines_variables_unless_they_are_set(string configured, string expected)
    {
        var env = EnvironmentPlan.Of("h", "/root", terminal: false, configured.Split('|'));
        Assert.Equal(expected.Replace("PATH=*", "PATH=" + EnvironmentPlan.DefaultPath, StringComparison.Ordinal), string.Join('|', env));
    }

    private static string[]? Words(string text) => text switch
    {
        "-" => null,
        "" => [],
        "\"\"" => [""],
        _ => text.Split(' '),
    };
}
