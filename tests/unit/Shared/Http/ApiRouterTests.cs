using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Shared.Http;

public sealed class ApiRouterTests
{
    private static ApiRouter Echo(string method, string template)
    {
        var router = ApiCall.Router();
        router.Map(method, template, r => r.ReplyAsync(new ErrorReply { Message = template.Contains("{id", StringComparison.Ordinal) ? r.Argument("id") : "here" }));
        return router;
    }

    [Theory]
    [InlineData("/things")]
    [InlineData("/v1.50/things")]
    [InlineData("/v1.24/things")]
    [InlineData("/v1.41/things/")]
    public async Task A_path_is_found_with_and_without_a_version(string path)
    {
        var call = await ApiCall.SendAsync(Echo("GET", "/things"), "GET", path);
        Assert.Equal(200, call.Status);
    }

    [Theory]
    [InlineData("/v1.51/things", "too new. Maximum supported API version is 1.50")]
    [InlineData("/v2.0/things", "too new")]
    [InlineData("/v1.23/things", "too old. Minimum supported API version is 1.24")]
    public async Task A_version_out_of_range_is_refused_with_the_bound(string path, string sentence)
    {
        var call = await ApiCall.SendAsync(Echo("GET", "/things"), "GET", path);
        Assert.Equal(400, call.Status);
        Assert.Contains(sentence, call.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_answer_carries_the_engines_headers_errors_too()
    {
        foreach (var path in new[] { "/things", "/nothing" })
        {
            var call = await ApiCall.SendAsync(Echo("GET", "/things"), "GET", path);
            Assert.Equal("1.50", call.Headers["Api-Version"]);
            Assert.Equal("false", call.Headers["Docker-Experimental"]);
            Assert.Equal("linux", call.Headers["Ostype"]);
            Assert.Equal("orch/1.2.3 (linux)", call.Headers["Server"]);
        }
    }

    [Fact]
    public async Task Unknown_paths_are_404_and_known_ones_with_another_method_405()
    {
        var router = Echo("GET", "/things/{id}");
        Assert.Equal(404, (await ApiCall.SendAsync(router, "GET", "/stuff")).Status);
        Assert.Equal(405, (await ApiCall.SendAsync(router, "POST", "/things/1")).Status);
        Assert.Equal(404, (await ApiCall.SendAsync(router, "GET", "/things/1/2")).Status);
    }

    [Theory]
    [InlineData("/images/busybox/json", "busybox")]
    [InlineData("/images/registry.lab:5000/team/web:1/json", "registry.lab:5000/team/web:1")]
    [InlineData("/images/team%2Fweb/json", "team/web")]
    public async Task A_starred_placeholder_takes_slashes(string path, string name)
    {
        var call = await ApiCall.SendAsync(Echo("GET", "/images/{id*}/json"), "GET", path);
        Assert.Equal(name, call.Json.GetProperty("message").GetString());
    }

    [Fact]
    public async Task An_error_is_a_message_with_its_problems()
    {
        var router = ApiCall.Router();
        router.Map("GET", "/bad", _ => throw new ApiException(409, "two things", [new Problem("A", "one"), new Problem("B", "two")]));
        router.Map("GET", "/broken", _ => throw new InvalidOperationException("inside"));
        var call = await ApiCall.SendAsync(router, "GET", "/bad");
        Assert.Equal(409, call.Status);
        Assert.Equal("two things", call.Json.GetProperty("message").GetString());
        Assert.Equal(2, call.Json.GetProperty("Problems").GetArrayLength());
        Assert.Equal(500, (await ApiCall.SendAsync(router, "GET", "/broken")).Status);
    }

    [Fact]
    public async Task A_rooms_own_exception_is_translated()
    {
        var router = ApiCall.Router();
        router.MapFault(e => e is TimeoutException ? new ApiException(418, "too slow") : null);
        router.Map("GET", "/slow", _ => throw new TimeoutException());
        Assert.Equal(418, (await ApiCall.SendAsync(router, "GET", "/slow")).Status);
    }

    [Theory]
    [InlineData("{", "not JSON of a NetworkCreateRequest")]
    [InlineData("null", "must be a JSON NetworkCreateRequest")]
    [InlineData("{\"Name\":5}", "Name can't be 5")]
    public async Task A_bad_body_is_a_400_that_names_the_place(string body, string sentence)
    {
        var router = ApiCall.Router();
        router.Map("POST", "/networks/create", async r => await r.ReplyAsync(await r.BodyAsync<NetworkCreateRequest>()));
        var call = await ApiCall.SendAsync(router, "POST", "/networks/create", body);
        Assert.Equal(400, call.Status);
        Assert.Contains(sentence, call.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_is_no_number_is_a_400_that_names_it()
    {
        var router = ApiCall.Router();
        router.Map("GET", "/n", r => r.ReplyAsync(new CreatedReply { Id = r.Number("version").ToString() }));
        Assert.Contains("'version' must be a whole number, not '-1'", (await ApiCall.SendAsync(router, "GET", "/n?version=-1")).Text, StringComparison.Ordinal);
        Assert.Contains("'version' is required", (await ApiCall.SendAsync(router, "GET", "/n")).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await ApiCall.SendAsync(router, "GET", "/n?version=7")).Status);
    }

    [Fact]
    public async Task Json_lines_come_one_a_line()
    {
        var router = ApiCall.Router();
        router.Map("GET", "/lines", async r =>
        {
            var lines = await r.LinesAsync();
            await lines.WriteAsync(new ErrorReply { Message = "a" }, r.Stop);
            await lines.WriteAsync(new ErrorReply { Message = "b" }, r.Stop);
        });
        Assert.Equal("{\"message\":\"a\"}\r\n{\"message\":\"b\"}\r\n", (await ApiCall.SendAsync(router, "GET", "/lines")).Text);
    }

    [Fact]
    public async Task A_head_of_an_error_has_no_body()
    {
        var call = await ApiCall.SendAsync(Echo("GET", "/things"), "HEAD", "/nothing");
        Assert.Equal(404, call.Status);
        Assert.Empty(call.Bytes);
    }

    [Theory]
    [InlineData("""{"Availability":"asleep"}""", "the body is not a valid NodeSpec: Availability can't be \"asleep\"")]
    [InlineData("""{"Labels":{"a":[1,2]}}""", "the body is not a valid NodeSpec: Labels.a can't be a list")]
    [InlineData("""{"Labels":{"a.b":{}}}""", "the body is not a valid NodeSpec: Labels['a.b'] holds a value that does not fit")]
    [InlineData("""{"Role":7}""", "the body is not a valid NodeSpec: Role can't be 7")]
    [InlineData("[]", "the body is not a valid NodeSpec: the body can't be a list")]
    public async Task A_value_that_does_not_fit_is_named_in_the_callers_words(string body, string sentence)
    {
        var router = ApiCall.Router();
        router.Map("POST", "/spec", async request => await request.ReplyAsync(await request.BodyAsync(ModelJson.Of<NodeSpec>())));
        var answer = await ApiCall.SendAsync(router, "POST", "/spec", body);
        Assert.Equal((400, sentence), (answer.Status, answer.Json.GetProperty("message").GetString()));
    }
}
