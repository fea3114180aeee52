using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Tests.Unit.Worker.Images;

public sealed class PatternTests
{
    [Theory]
    [InlineData("*.go", "a.go", true)]
    [InlineData("*.go", "a/b.go", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[^a-c]x", "bx", false)]
    [InlineData("[]a]", "]", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "a", false)]
    [InlineData("a.b", "axb", false)]
    [InlineData("**/x", "x", true)]
    [InlineData("**/x", "a/b/x", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a(b|c)+", "ab", false)]
    public void Patterns_match_as_in_go(string pattern, string path, bool fits) => Assert.Equal(fits, PathPattern.Compile(pattern).IsMatch(path));

    [Theory]
    [InlineData("[a")]
    [InlineData("a\\")]
    public void Broken_patterns_are_refused(string pattern) => Assert.Throws<FormatException>(() => PathPattern.Compile(pattern));

    [Theory]
    [InlineData("node_modules", "node_modules/a/b", true)]
    [InlineData("node_modules", "src/node_modules", false)]
    [InlineData("/build/", "build/x", true)]
    [InlineData("# comment\n\n*.log", "a.log", true)]
    [InlineData("*\n!keep", "keep/this", false)]
    [InlineData("*\n!keep\nkeep/not", "keep/not", true)]
    [InlineData("./a/./b", "a/b", true)]
    public void The_last_ignore_pattern_that_fits_decides(string text, string path, bool excluded) =>
        Assert.Equal(excluded, DockerIgnore.Parse(text).Excludes(path));

    [Theory]
    [InlineData("a", (int)WhiteoutKind.None, "")]
    [InlineData(".wh.a", (int)WhiteoutKind.Hides, "a")]
    [InlineData(".wh..hidden", (int)WhiteoutKind.Hides, ".hidden")]
    [InlineData(".wh..wh..opq", (int)WhiteoutKind.Opaque, "")]
    [InlineData(".wh..wh.plnk", (int)WhiteoutKind.Ignored, "")]
    public void Whiteouts_are_told_by_name(string leaf, int kind, string hidden) => Assert.Equal(((WhiteoutKind)kind, hidden), Whiteouts.Of(leaf));

    [Theory]
    [InlineData(".wh.")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    public void A_whiteout_of_nothing_is_refused(string leaf) => Assert.Throws<ImageException>(() => Whiteouts.Of(leaf));

    [Theory]
    [InlineData("./a//b/", "a/b")]
    [InlineData("/a/./b", "a/b")]
    [InlineData("./", "")]
    [InlineData("..a/b..", "..a/b..")]
    public void Entry_names_are_cleaned(string name, string clean) => Assert.Equal(clean, EntryPath.Clean(name));

    [Theory]
    [InlineData("755", 0x1edu)]
    [InlineData("04755", 0x9edu)]
    public void Octal_modes_are_read(string text, uint mode) => Assert.Equal(mode, CopySelection.Mode(text));
}
