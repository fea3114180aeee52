using System.Text;
using Orchestrator.Cli.Client;

namespace Orchestrator.Tests.Unit.Cli.Client;

public sealed class WireReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true)]
    [InlineData("HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", 304, "", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 404, "{}", true)]
    public void An_answer_is_read_whole_however_its_end_is_said(string text, int status, string body, bool keepAlive)
    {
        foreach (var piece in new[] { 1, 7, 4096 })
        {
            var answer = new WireReader(Trickle.Of(text, piece)).Read(hasBody: true);
            Assert.Equal((status, body, keepAlive), (answer.Status, Encoding.UTF8.GetString(answer.Body), answer.KeepAlive));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhel\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhel\r\n0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n")]
    public void What_is_cut_short_or_is_no_HTTP_fails(string text) =>
        Assert.ThrowsAny<IOException>(() => new WireReader(Trickle.Of(text, 4096)).Read(hasBody: true));

    [Fact]
    public void What_follows_the_head_of_a_connection_that_is_given_away_is_kept()
    {
        var reader = new WireReader(Trickle.Of("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nfirst words", 4096));
        Assert.Equal(101, reader.Read(hasBody: true).Status);
        Assert.Equal("first words", Encoding.UTF8.GetString(reader.Rest));
    }

    [Fact]
    public void A_request_holds_no_second_one()
    {
        var text = Encoding.ASCII.GetString(EngineWire.Request(HttpMethod.Post, "/containers/a b\r\nX: y/é", "{}"u8.ToArray()));
        Assert.Equal("POST /containers/a%20b%0D%0AX:%20y/%C3%A9 HTTP/1.1\r\nHost: orch\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", text);
    }

    /// <summary>A stream that gives at most so many bytes at a time.</summary>
    private sealed class Trickle(byte[] content, int piece) : MemoryStream(content)
    {
        internal static Trickle Of(string text, int piece) => new(Encoding.UTF8.GetBytes(text), piece);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, piece));
    }
}
