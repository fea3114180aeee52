using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Shared.Http;

public sealed class ApiPartsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("""{"label":["a","b=c"]}""")]
    [InlineData("""{"label":{"a":true,"b=c":true,"gone":false}}""")]
    public void Filters_are_read_in_both_historic_shapes(string text)
    {
        var filters = ApiFilters.Parse(text, "label");
        Assert.Equal(["a", "b=c"], filters["label"]);
        Assert.True(filters.Labels("label", new Dictionary<string, string> { ["a"] = "x", ["b"] = "c" }));
        Assert.False(filters.Labels("label", new Dictionary<string, string> { ["a"] = "x", ["b"] = "d" }));
    }

    [Theory]
    [InlineData("""{"colour":["red"]}""", "invalid filter 'colour'")]
    [InlineData("""["red"]""", "not a JSON object of lists")]
    [InlineData("""{"label":"red"}""", "not a JSON object of lists")]
    public void Filters_nobody_knows_are_refused(string text, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<ApiException>(() => ApiFilters.Parse(text, "label")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1700000000", 1700000000000)]
    [InlineData("1700000000.250000000", 1700000000250)]
    [InlineData("2023-11-14T22:13:20Z", 1700000000000)]
    [InlineData("10m", 1767322445000)]
    [InlineData("1h30m", 1767317645000)]
    public void Moments_are_read_as_stock_clients_send_them(string text, long unixMilliseconds) =>
        Assert.Equal(unixMilliseconds, ApiTimes.Parse(text, Now)!.Value.ToUnixTimeMilliseconds());

    [Theory]
    [InlineData("yesterday")]
    [InlineData("10")]
    [InlineData("m")]
    public void A_duration_needs_number_and_unit(string text) => Assert.Null(ApiTimes.GoDuration(text));

    [Fact]
    public void A_fixed_time_has_nine_digits() => Assert.Equal("2026-01-02T03:04:05.000000000Z", ApiTimes.Fixed(Now));

    private static string Found(string reference) => ObjectLookup.Find(
        new[] { ("abc1", "web"), ("abc2", "db"), ("web9", "cache"), ("db", "other") }.Select(p => Tuple.Create(p.Item1, p.Item2)),
        reference, "thing", t => t.Item1, t => t.Item2).Item1;

    [Theory]
    [InlineData("abc1", "abc1")]
    [InlineData("web", "abc1")] // the name before another's id prefix
    [InlineData("db", "db")] // the whole id before another's name
    [InlineData("web9", "web9")]
    [InlineData("we", "web9")]
    public void Ids_names_and_prefixes_are_found_in_that_order(string reference, string id) => Assert.Equal(id, Found(reference));

    [Fact]
    public void What_fits_several_or_none_is_refused()
    {
        Assert.Equal(400, Assert.Throws<ApiException>(() => Found("abc")).Status);
        Assert.Contains("ambiguous (2 matches found)", Assert.Throws<ApiException>(() => Found("abc")).Message, StringComparison.Ordinal);
        Assert.Equal("thing zzz not found", Assert.Throws<ApiException>(() => Found("zzz")).Message);
    }

    [Fact]
    public async Task Log_lines_are_framed_by_stream_and_length()
    {
        var pipe = new Pipe();
        var frames = new LogFrames(pipe.Writer, LogFraming.Multiplexed, timestamps: true);
        frames.Write(new LogRecord { Time = Now, Stream = "stderr", Line = "oh\n"u8.ToArray() }, "a=b");
        await pipe.Writer.FlushAsync();
        await pipe.Writer.CompleteAsync();
        var bytes = (await pipe.Reader.ReadAtLeastAsync(1)).Buffer;
        var all = new byte[bytes.Length];
        System.Buffers.BuffersExtensions.CopyTo(bytes, all);
        const string Text = "2026-01-02T03:04:05.000000000Z a=b oh\n";
        Assert.Equal([2, 0, 0, 0, 0, 0, 0, (byte)Text.Length], all[..8]);
        Assert.Equal(Text, Encoding.UTF8.GetString(all[8..]));
    }

    [Fact]
    public void Details_are_escaped() =>
        Assert.Equal("k=a%2Cb%3Dc,l=m", LogFrames.Details([new("k", "a,b=c"), new("l", "m")]));

    [Fact]
    public void Members_the_model_has_no_place_for_are_found_with_their_path()
    {
        using var body = JsonDocument.Parse("""
            {"name":"web","Shiny":"x","Empty":"","Nothing":null,
             "TaskTemplate":{"ContainerSpec":{"Image":"i","Mounts":[{"Type":"npipe","ClusterOptions":{"x":1}}]}},
             "Labels":{"anything":"goes"}}
            """);
        var found = UnknownMembers.Find(body.RootElement, ModelJson.Of<ServiceSpec>()).Select(p => p.Where);
        Assert.Equal(["Shiny", "TaskTemplate.ContainerSpec.Mounts[0].ClusterOptions"], found);
    }

    [Fact]
    public void A_tolerated_member_is_tolerated_with_its_value_only()
    {
        using var body = JsonDocument.Parse("""{"Image":"i","HostConfig":{"SomethingNew":-1,"ConsoleSize":[10,20]}}""");
        var type = ModelJson.Of<ContainerCreateRequest>();
        Assert.Empty(UnknownMembers.Find(body.RootElement, type, "HostConfig.SomethingNew=-1", "HostConfig.ConsoleSize"));
        Assert.Single(UnknownMembers.Find(body.RootElement, type, "HostConfig.SomethingNew=0", "HostConfig.ConsoleSize"));
    }

    private static readonly EventMessage Start = new()
    {
        Type = "container",
        Action = "start",
        Actor = new EventActor { Id = "abcdef", Attributes = new Dictionary<string, string> { ["name"] = "web.1", ["image"] = "hello:1", ["tier"] = "front" } },
    };

    [Theory]
    [InlineData("""{"type":["container"]}""", true)]
    [InlineData("""{"type":["image"]}""", false)]
    [InlineData("""{"event":["start","die"]}""", true)]
    [InlineData("""{"event":["die"]}""", false)]
    [InlineData("""{"container":["abc"]}""", true)]
    [InlineData("""{"container":["web.1"]}""", true)]
    [InlineData("""{"container":["web.2"]}""", false)]
    [InlineData("""{"image":["hello"]}""", true)]
    [InlineData("""{"image":["hello:2"]}""", false)]
    [InlineData("""{"label":["tier=front"]}""", true)]
    [InlineData("""{"label":["tier=back"]}""", false)]
    [InlineData("""{"scope":["swarm"]}""", false)]
    [InlineData("""{"type":["container"],"event":["die"]}""", false)]
    public void Events_are_chosen_by_every_filter(string filters, bool wanted) =>
        Assert.Equal(wanted, new EventFilter(ApiFilters.Parse(filters, EventFilter.Known)).Wants(Start));
}
