using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class CpusetTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orch-cpuset-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_group_made_beside_a_parent_that_is_not_filled_yet_fills_both()
    {
        var parent = Group(_root, "0-1", "0");
        var child = Group(Path.Combine(parent, "instance"), "", "\n");
        var grandchild = Group(Path.Combine(child, "container"), "\n", "");

        CgroupParents.FillCpuset(grandchild);

        Assert.Equal(["0-1", "0", "0-1", "0"], new[] { child, grandchild }.SelectMany(g => Values(g)));
    }

    [Fact]
    public void A_group_with_processors_of_its_own_keeps_them()
    {
        var parent = Group(_root, "0-3", "0");
        var child = Group(Path.Combine(parent, "instance"), "2", "0");

        CgroupParents.FillCpuset(child);

        Assert.Equal(["2", "0"], Values(child));
    }

    private static string Group(string path, string processors, string nodes)
    {
        Directory.CreateDirectory(path);
        File.WriteAllText($"{path}/cpuset.cpus", processors);
        File.WriteAllText($"{path}/cpuset.mems", nodes);
        return path;
    }

    private static IEnumerable<string> Values(string group) =>
        new[] { "cpus", "mems" }.Select(file => File.ReadAllText($"{group}/cpuset.{file}").Trim());
}
