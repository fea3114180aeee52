using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class UserPlanTests
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:33:34:web:/srv:/bin/false\n77:x:500:501::/odd:/bin/sh\nbare:x:9:10\r\n";
    private const string Group = "root:x:0:\nweb:x:34:\nlog:x:4:web,root\ndisk:x:6:root\nshort:x:50\n";

    [Theory]
    [InlineData("", 0, 0, "/root", "0,4,6")]
    [InlineData("root", 0, 0, "/root", "0,4,6")]
    [InlineData("web", 33, 34, "/srv", "34,4")]
    [InlineData("33", 33, 34, "/srv", "34,4")]
    [InlineData("web:log", 33, 4, "/srv", "4")]
    [InlineData("web:short", 33, 50, "/srv", "50")]
    [InlineData("web:99", 33, 99, "/srv", "99")]
    [InlineData(":5", 0, 5, "/root", "5")]
    [InlineData("1234", 1234, 0, "/", "0")]
    [InlineData("1234:5678", 1234, 5678, "/", "5678")]
    [InlineData("77", 500, 501, "/odd", "501")]
    [InlineData("bare", 9, 10, "/", "10")]
    public void Users_are_found_in_the_images_files_and_their_own_group_is_among_their_groups(string user, uint uid, uint gid, string home, string groups)
    {
        var found = UserPlan.Of(user, [], Passwd, Group);
        Assert.Equal((uid, gid, home, groups), (found.Ids.Uid, found.Ids.Gid, found.Home, string.Join(',', found.Ids.AdditionalGids)));
    }

    [Theory]
    [InlineData("nobody", "unable to find user nobody: no matching entries in passwd file")]
    [InlineData("web:none", "unable to find group none: no matching entries in group file")]
    public void A_missing_name_is_refused(string user, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidContainerException>(() => UserPlan.Of(user, [], Passwd, Group)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_image_without_files_knows_numbers_only()
    {
        Assert.Equal([0u, 7u], UserPlan.Of("5", ["7"], "", "").Ids.AdditionalGids);
        Assert.Throws<InvalidContainerException>(() => UserPlan.Of("web", [], "", ""));
    }
}
