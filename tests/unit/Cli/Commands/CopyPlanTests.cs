using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Files;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class CopyPlanTests
{
    [Theory]
    [InlineData("file", "/d", "dir", "/d ")]
    [InlineData("file", "/d/new", "none", "/d new")]
    [InlineData("file", "/d/old", "file", "/d old")]
    [InlineData("dir", "/d", "dir", "/d ")]
    [InlineData("dir", "/d/new", "none", "/d new")]
    [InlineData("dir", "/d/new/", "none", "/d new")]
    [InlineData("dir", "/new", "none", "/ new")]
    [InlineData("dir", "/d/old", "file", "cannot copy directory")]
    [InlineData("file", "/d/new/", "none", "no such directory: /d/new/")]
    public void A_copy_lands_where_cp_would_put_it(string source, string destination, string there, string lands)
    {
        string Run()
        {
            try
            {
                var plan = CopyPlan.Of(new CopyEnd("/src/x", true, source == "dir"), new CopyEnd(destination, there != "none", there == "dir"));
                return $"{plan.Directory} {plan.TopName}";
            }
            catch (CommandException e)
            {
                return e.Message;
            }
        }

        Assert.Equal(lands, Run());
    }

    [Theory]
    [InlineData("c:/x", "c", "/x")]
    [InlineData("/a:b", null, "/a:b")]
    [InlineData("./a:b", null, "./a:b")]
    [InlineData("-", null, "-")]
    [InlineData("file", null, "file")]
    [InlineData("c:x", "c", "x")]
    public void A_colon_parts_container_and_path(string text, string? container, string path) =>
        Assert.Equal((container, path), CopyCommand.Parse(text));
}
