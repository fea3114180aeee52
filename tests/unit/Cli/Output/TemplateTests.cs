using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Cli.Output.Templates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Output;

public sealed class TemplateTests
{
    private static readonly JsonElement Data = JsonDocument.Parse("""
        {"Name":"web","N":3,"F":1.5,"On":true,"Off":false,"Zero":0,"Empty":"","List":["a","b"],"Map":{"x":"1","y":"2"},"Deep":{"Er":{"V":"found"}},"None":null}
        """).RootElement;

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{.Name}}", "web")]
    [InlineData("{{ .Name }}-{{.N}}", "web-3")]
    [InlineData("{{.Deep.Er.V}}", "found")]
    [InlineData("{{.NAME}}{{.deep.ER}}", "webmap[V:found]")]
    [InlineData("{{json .List}}", "[\"a\",\"b\"]")]
    [InlineData("{{.List}} {{.Map}}", "[a b] map[x:1 y:2]")]
    [InlineData("{{join .List \",\"}}", "a,b")]
    [InlineData("{{upper .Name}}{{lower \"ABC\"}}", "WEBabc")]
    [InlineData("{{.Name | upper | printf \"%s!\"}}", "WEB!")]
    [InlineData("{{if .On}}yes{{else}}no{{end}}", "yes")]
    [InlineData("{{if .Zero}}yes{{else if .Name}}chained{{end}}", "chained")]
    [InlineData("{{range .List}}<{{.}}>{{end}}", "<a><b>")]
    [InlineData("{{range $i, $v := .List}}{{$i}}={{$v}} {{end}}", "0=a 1=b ")]
    [InlineData("{{range $k, $v := .Map}}{{$k}}{{$v}}{{end}}", "x1y2")]
    [InlineData("{{range .None}}x{{else}}none{{end}}", "none")]
    [InlineData("{{with .Deep}}{{.Er.V}}{{$.Name}}{{end}}", "foundweb")]
    [InlineData("{{$x := .Name}}{{$x}}{{$x}}", "webweb")]
    [InlineData("{{index .List 1}}{{index .Map \"y\"}}", "b2")]
    [InlineData("{{len .List}}{{len .Name}}", "23")]
    [InlineData("{{eq .Name \"web\"}} {{ne .N 3}} {{lt .N 4}}", "true false true")]
    [InlineData("{{and .On .Off}} {{or .Empty \"d\"}} {{not .On}}", "false d false")]
    [InlineData("{{printf \"%-5s|%3d|%q|%v\" .Name .N .Name .F}}", "web  |  3|\"web\"|1.5")]
    [InlineData("{{truncate \"abcdef\" 3}}{{pad .Name 1 2}}|", "abc web  |")]
    [InlineData("{{(index .List 0)}}{{(.Deep).Er.V}}", "afound")]
    [InlineData("a {{- .Name -}} b", "awebb")]
    [InlineData("{{/* note */}}x", "x")]
    [InlineData("{{split \"a:b\" \":\"}}", "[a b]")]
    [InlineData("{{.None}} {{.Deep.Missing}}", "<no value> <no value>")]
    public void Templates_do_what_gos_do(string template, string expected) => Assert.Equal(expected, Template.Parse(template).Render(Data));

    [Theory]
    [InlineData("{{.HostConfig.Memory}} {{.HostConfig.Binds}} {{.Config.Labels}} {{len .Mounts}}", "5 [] map[] 0")]
    [InlineData("[{{.State.Error}}] {{.State.Pid}} {{.HostConfig.Privileged}} {{.State.Health}}", "[] 0 false <no value>")]
    [InlineData("{{range $p, $c := .NetworkSettings.Ports}}{{$p}}={{(index $c 0).HostPort}}{{end}}", "80/tcp=8080")]
    [InlineData("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{.Aliases}}{{end}}", "10.0.0.2[]")]
    [InlineData("{{with index .NetworkSettings.Networks \"bridge\"}}{{.IPAddress}}{{end}}", "10.0.0.2")]
    [InlineData("{{.NetworkSettings.Networks.bridge.IPAddress}} {{.NetworkSettings.Networks.other}}", "10.0.0.2 <no value>")]
    [InlineData("{{json .State}}", "{\"Running\":true}")]
    [InlineData("{{.ID}} {{slice .ID 0 3}} {{slice .ID 4}}", "abcdef abc ef")]
    public void What_the_type_has_and_the_answer_leaves_out_is_empty(string template, string expected) =>
        Assert.Equal(expected, Template.Parse(template).Render(Typed.Of<ContainerInspect>(Container)));

    [Theory]
    [InlineData("{{.Stat.Running}}", "template: column 3: there is no field 'Stat', did you mean 'State'?")]
    [InlineData("{{.State.Runing}}", "template: column 9: there is no field 'Runing', did you mean 'Running'?")]
    public void What_the_type_has_not_is_a_mistake(string template, string expected) =>
        Assert.Equal(expected, Assert.Throws<TemplateException>(() => Template.Parse(template).Render(Typed.Of<ContainerInspect>(Container))).Message);

    private static readonly JsonElement Container = JsonDocument.Parse("""
        {"Id":"abcdef","State":{"Running":true},"HostConfig":{"Memory":5},"Config":{"Image":"web"},"NetworkSettings":{"Ports":{"80/tcp":[{"HostPort":"8080"}]},
        "Networks":{"bridge":{"IPAddress":"10.0.0.2"}}}}
        """).RootElement;

    [Theory]
    [InlineData("{{", 1)]
    [InlineData("x{{.Name", 2)]
    [InlineData("{{if .On}}", 3)]
    [InlineData("{{end}}", 3)]
    [InlineData("{{frob .Name}}", 3)]
    [InlineData("{{.Name.Deeper}}", 8)]
    [InlineData("{{\"open}}", 3)]
    [InlineData("{{$x}}", 3)]
    [InlineData("{{join .List}}", 3)]
    [InlineData("{{index .List 9}}", 3)]
    [InlineData("{{.Name | }}", 11)]
    public void What_is_wrong_is_told_with_its_column(string template, int column)
    {
        var error = Assert.Throws<TemplateException>(() => Template.Parse(template).Render(Data));
        Assert.Equal(column, error.Column);
    }

    [Fact]
    public void No_template_fails_in_another_way() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            Gen.Elements("{{", "}}", ".", ".Name", "if ", "end", "range ", "else", "|", "(", ")", "$x", ":=", "\"", "-", " ", "json ", "3", "x", ",").ArrayOf().Select(string.Concat).ToArbitrary(),
            text =>
            {
                try
                {
                    Template.Parse(text).Render(Data);
                }
                catch (TemplateException)
                {
                    // The one way in which a template may fail.
                }
                return true;
            }));
}
