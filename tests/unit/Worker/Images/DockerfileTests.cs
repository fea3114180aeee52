using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Tests.Unit.Worker.Images;

public sealed class DockerfileTests
{
    [Fact]
    public void Instructions_keep_their_lines_across_continuations_and_comments()
    {
        var file = DockerfileParser.Parse("# a comment\n\nfrom a AS b\nRUN one \\\n  # inside\n\n  two \\\r\n  three\nCOPY --from=b --chown=1:2 x y\nCMD [\"a\", \"b c\"]\nENTRYPOINT [not json]\n");
        Assert.Empty(file.Problems);
        Assert.Equal(
            ["3 FROM a AS b", "4 RUN one   two   three", "9 COPY --from=b --chown=1:2 x y", "10 CMD [\"a\", \"b c\"]", "11 ENTRYPOINT [not json]"],
            file.Instructions.Select(i => $"{i.Line} {i.Text}"));
        Assert.Equal("x y", file.Instructions[2].Rest);
        Assert.Equal(["chown=1:2", "from=b"], file.Instructions[2].Flags.Select(f => $"{f.Key}={f.Value}"));
        Assert.Equal(["a", "b c"], file.Instructions[3].Exec!.Value);
        Assert.Null(file.Instructions[4].Exec);
    }

    [Fact]
    public void The_escape_directive_counts_only_at_the_top()
    {
        Assert.Equal('`', DockerfileParser.Parse("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN x `\n y\n").Escape);
        Assert.Equal("RUN x  y", DockerfileParser.Parse("# escape=`\nFROM a\nRUN x `\n y\n").Instructions[1].Text);
        Assert.Equal('\\', DockerfileParser.Parse("FROM a\n# escape=`\n").Escape);
    }

    [Fact]
    public void Every_mistake_is_reported_at_once_in_order()
    {
        var problems = DockerfileParser.Parse(
            """
            RUN early
            FROM a AS 1x
            COPPY a b
            COPY only
            COPY a b c
            ADD http://x/y /z
            ENV
            ENV A=1 B
            RUN <<EOF
            ONBUILD RUN x
            HEALTHCHECK --interval=5 CMD x
            HEALTHCHECK MAYBE
            EXPOSE 0 80/icmp
            SHELL /bin/sh
            COPY --link a b
            COPY --frm=x a b
            COPY --chmod=9 a b
            XYZZY
            """).Problems;
        Assert.Equal(
            [
                "1: RUN before the first FROM (only ARG may stand there)",
                "2: invalid name for a build stage: \"1x\" (a letter first, then letters, digits, _ . -)",
                "3: unknown instruction: COPPY (did you mean COPY?)",
                "4: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
                "5: when using COPY with more than one source file, the destination must be a directory and end with a /",
                "6: ADD of a URL is not supported (http://x/y): download it in a RUN step or into the build context",
                "7: ENV requires an argument",
                "8: syntax error - can't find = in \"B\". Must be of the form: name=value",
                "9: here-documents (<<) in RUN are not supported; write the lines with && and continuations",
                "10: ONBUILD is not supported: write the instruction in the Dockerfile that uses the image",
                "11: invalid HEALTHCHECK --interval=5",
                "12: unknown type \"MAYBE\" in HEALTHCHECK (try CMD or NONE)",
                "13: invalid port: 0 (a number from 1 to 65535 or a range, with /tcp, /udp or /sctp)",
                "13: invalid port: 80/icmp (a number from 1 to 65535 or a range, with /tcp, /udp or /sctp)",
                "14: SHELL requires the arguments in JSON form: SHELL [\"/bin/sh\", \"-c\"]",
                "15: COPY --link is not supported yet",
                "16: unknown flag: COPY --frm",
                "17: invalid --chmod=9: an octal mode is needed, such as 0755",
                "18: unknown instruction: XYZZY",
            ],
            problems.Select(p => $"{p.Line}: {p.Message}"));
        Assert.Equal("the Dockerfile has no instructions", Assert.Single(DockerfileParser.Parse("# nothing\n").Problems).Message);
    }

    [Theory]
    [InlineData("$A", "one")]
    [InlineData("${A}b", "oneb")]
    [InlineData("$Ab", "")]
    [InlineData("${NO:-x y}", "x y")]
    [InlineData("${EMPTY:-x}", "x")]
    [InlineData("${EMPTY-x}", "")]
    [InlineData("${A:+there}", "there")]
    [InlineData("${NO:+there}", "")]
    [InlineData("${EMPTY+there}", "there")]
    [InlineData("${NO:-${A}/${B:-z}}", "one/two words")]
    [InlineData("\\$A", "$A")]
    [InlineData("'$A'", "$A")]
    [InlineData("\"$A  '$B'\"", "one  'two words'")]
    [InlineData("a\\ b", "a b")]
    [InlineData("\"a\\\"b\\n\"", "a\"b\\n")]
    [InlineData("$", "$")]
    [InlineData("a$/b", "a$/b")]
    public void Substitution_follows_the_shell_as_far_as_docker_does(string word, string expected) =>
        Assert.Equal(expected, Words.Expand(word, '\\', Lookup));

    [Theory]
    [InlineData("${A")]
    [InlineData("${A:-x")]
    [InlineData("${A%x}")]
    [InlineData("${}")]
    [InlineData("\"open")]
    [InlineData("'open")]
    [InlineData("${NO:?must be given}")]
    public void Broken_substitution_is_refused(string word) => Assert.Throws<FormatException>(() => Words.Expand(word, '\\', Lookup));

    [Fact]
    public void Changes_make_a_config()
    {
        var config = ConfigChanges.Parse(
            ["ENV A=1 B=\"x y\"", "ENV A 2 and more", "LABEL a.b=c", "WORKDIR /a", "WORKDIR ../b/./c", "USER u:g", "EXPOSE 80 90-91/udp", "VOLUME [\"/v\"]", "CMD echo $A",
             "HEALTHCHECK --interval=1m30s --retries=2 CMD true", "STOPSIGNAL SIGINT"]);
        Assert.Equal(["A=2 and more", "B=x y"], config.Env!.Value);
        Assert.Equal("/b/c", config.WorkingDir);
        Assert.Equal(["/bin/sh", "-c", "echo $A"], config.Cmd!.Value);
        Assert.Equal(["80/tcp", "90/udp", "91/udp"], config.ExposedPorts!.Keys);
        Assert.Equal((90_000_000_000L, 2, "CMD-SHELL"), (config.Healthcheck!.Interval, config.Healthcheck.Retries, config.Healthcheck.Test!.Value[0]));
        Assert.Equal(("u:g", "SIGINT", "c"), (config.User, config.StopSignal, config.Labels!["a.b"]));
    }

    [Fact]
    public void Keys_tell_apart_what_differs_in_any_part()
    {
        Assert.Equal(BuildCache.Key("p", "a", "b"), BuildCache.Key("p", "a", "b"));
        Assert.Equal(5, new[] { BuildCache.Key("p", "a", "b"), BuildCache.Key("p", "ab"), BuildCache.Key("p", "ab", ""), BuildCache.Key("q", "a", "b"), BuildCache.Key("p", "b", "a") }.Distinct().Count());
    }

    private static string? Lookup(string name) => name switch
    {
        "A" => "one",
        "B" => "two words",
        "EMPTY" => "",
        _ => null,
    };
}
