using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Tests.Unit.Cli.Compose;

public sealed class InterpolationTests
{
    private static readonly Place At = new("f", 1, 1);

    private static string Expand(string text, Func<string, string?> variable, out ProblemList problems)
    {
        problems = new ProblemList();
        return new Interpolation(variable, problems).Text(text, At);
    }

    [Fact]
    public void Text_without_a_dollar_stays_as_it_is() =>
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>().Filter(s => !s.Get.Contains('$')),
            s => Expand(s.Get, _ => "x", out var problems) == s.Get && !problems.Any));

    [Fact]
    public void Doubled_dollars_are_always_read_back_as_the_text_they_stand_for() =>
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(),
            s => Expand(s.Get.Replace("$", "$$", StringComparison.Ordinal), _ => "x", out var problems) == s.Get && !problems.Any));

    [Fact]
    public void A_value_is_never_interpolated_again() =>
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(),
            s => Expand("<${A}>", _ => s.Get, out var problems) == $"<{s.Get}>" && !problems.Any));

    [Fact]
    public void No_text_makes_it_throw() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            Gen.Elements("$", "{", "}", "A", ":", "-", "?", "+", "_", "1", " ").ArrayOf().Select(string.Concat).ToArbitrary(),
            s => Expand(s, n => n == "A" ? "v" : null, out _) is not null));

    [Theory]
    [InlineData("${A}", "set")]
    [InlineData("$A.b", "set.b")]
    [InlineData("${A:-x}", "set")]
    [InlineData("${E:-x}", "x")]
    [InlineData("${E-x}", "")]
    [InlineData("${N-x}", "x")]
    [InlineData("${N:-${A}}", "set")]
    [InlineData("${A:+y}", "y")]
    [InlineData("${E:+y}", "")]
    [InlineData("${E+y}", "y")]
    [InlineData("${A:?no}", "set")]
    [InlineData("$$A", "$A")]
    [InlineData("${A:-${N:?never asked}}", "set")]
    public void The_table_of_compose_holds(string text, string expected)
    {
        Assert.Equal(expected, Expand(text, n => n switch { "A" => "set", "E" => "", _ => null }, out var problems));
        Assert.False(problems.Any);
    }

    [Theory]
    [InlineData("$")]
    [InlineData("${}")]
    [InlineData("${A")]
    [InlineData("${A:x}")]
    [InlineData("${1}")]
    [InlineData("$-")]
    [InlineData("${N:?needed}")]
    public void What_cannot_be_read_is_a_problem(string text)
    {
        Expand(text, _ => null, out var problems);
        Assert.True(problems.Any);
    }
}
