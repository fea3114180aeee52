using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Rootfs;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class UserLookupTests
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:33:34:web:/srv:/bin/false\n77:x:500:501::/odd:/bin/sh\n";
    private const string Group = "root:x:0:\nweb:x:34:\nlog:x:4:web,root\ndisk:x:6:root\n";

    [Theory]
    [InlineData("", 0, 0, "/root", "0,4,6")]
    [InlineData("root", 0, 0, "/root", "0,4,6")]
    [InlineData("web", 33, 34, "/srv", "34,4")]
    [InlineData("33", 33, 34, "/srv", "34,4")]
    [InlineData("web:log", 33, 4, "/srv", "4")]
    [InlineData("web:99", 33, 99, "/srv", "99")]
    [InlineData("1234", 1234, 0, "/", "0")]
    [InlineData("1234:5678", 1234, 5678, "/", "5678")]
    [InlineData("77", 500, 501, "/odd", "501")]
    public void Names_and_numbers_are_resolved_as_Docker_does(string user, uint uid, uint gid, string home, string groups)
    {
        var found = UserLookup.Resolve(user, Passwd, Group, []);
        Assert.Equal((uid, gid, home, groups), (found.User.Uid, found.User.Gid, found.Home, string.Join(',', found.User.AdditionalGids)));
    }

    [Theory]
    [InlineData("nobody", "unable to find user nobody: no matching entries in passwd file")]
    [InlineData("web:none", "unable to find group none: no matching entries in group file")]
    public void A_missing_name_is_refused(string user, string message) =>
        Assert.Equal(message, Assert.Throws<RuntimeException>(() => UserLookup.Resolve(user, Passwd, Group, [])).Message);

    [Fact]
    public void An_image_without_files_knows_numbers_only()
    {
        Assert.Equal(5u, UserLookup.Resolve("5", "", "", ["7"]).User.Uid);
        Assert.Throws<RuntimeException>(() => UserLookup.Resolve("web", "", "", []));
    }
}
