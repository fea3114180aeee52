using System.Buffers.Binary;
using System.Net;
using System.Text;

using FsCheck;
using FsCheck.Fluent;

using Orchestrator.Worker.Network.Dns;

namespace Orchestrator.Tests.Unit.Worker.Network;

public sealed class DnsCodecTests
{
    [Fact]
    public void A_query_as_glibc_sends_it_is_read()
    {
        // id, flags RD, 1 question, 1 additional; web.example A IN; OPT with 1232 bytes
        var bytes = Convert.FromHexString("ABCD01000001000000000001" + "03776562076578616D706C6500" + "00010001" + "00002904D0000000000000");
        Assert.True(DnsCodec.TryReadQuery(bytes, out var query, out _));
        Assert.Equal("web.example 1 1 1232", $"{query.Name} {query.Type} {query.Class} {query.EdnsSize}");
        Assert.Equal(29, query.QuestionEnd);
    }

    [Fact]
    public void An_answer_is_byte_for_byte_what_the_rfc_says()
    {
        var request = Convert.FromHexString("ABCD01000001000000000000" + "0377656200" + "00010001");
        Assert.True(DnsCodec.TryReadQuery(request, out var query, out _));
        var answer = new byte[512];
        var length = DnsCodec.WriteAddresses(request, query, [IPAddress.Parse("10.0.0.2")], 512, answer);
        Assert.Equal(
            "ABCD81800001000100000000" + "0377656200" + "00010001" + "C00C00010001000000000004" + "0A000002",
            Convert.ToHexString(answer.AsSpan(0, length)));
    }

    [Fact]
    public void What_does_not_fit_is_cut_at_a_record_and_marked()
    {
        var request = Query("web", edns: true);
        Assert.True(DnsCodec.TryReadQuery(request, out var query, out _));
        var addresses = Enumerable.Range(0, 200).Select(i => new IPAddress([10, 0, 0, (byte)i])).ToArray();
        var answer = new byte[4096];
        var length = DnsCodec.WriteAddresses(request, query, addresses, 512, answer);
        Assert.True(length <= 512);
        Assert.Equal(2, answer[2] & 2);
        var count = BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6));
        Assert.Equal(query.QuestionEnd + (count * 16) + 11, length);
        length = DnsCodec.WriteAddresses(request, query, addresses, 4096, answer);
        Assert.Equal(200, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6)));
        Assert.Equal(0, answer[2] & 2);
        Assert.Equal(query.QuestionEnd + 3200 + 11, length);
    }

    [Theory]
    [InlineData("ABCD8180000100000000000003776562000001", null)] // a response
    [InlineData("ABCD", null)]
    [InlineData("ABCD2800000100000000000003776562000001", 4)] // opcode update
    [InlineData("ABCD01000002000000000000037765620000010001", 1)] // two questions
    [InlineData("ABCD010000010000000000000377", 1)] // a label past the end
    [InlineData("ABCD01000001000000000000C00C00010001", 1)] // a pointer to itself
    public void What_is_no_query_is_told_apart(string hex, int? problem)
    {
        Assert.False(DnsCodec.TryReadQuery(Convert.FromHexString(hex), out _, out var result));
        Assert.Equal(problem, (int?)result);
    }

    [Fact]
    public void No_bytes_make_the_reader_throw()
        => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            DnsCodec.TryReadQuery(bytes, out _, out _);
            byte[] framed = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, .. bytes];
            return !DnsCodec.TryReadQuery(framed, out var query, out _) || query.QuestionEnd <= framed.Length;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Only_an_answer_to_the_very_question_counts()
    {
        var request = Query("web", edns: false);
        Assert.True(DnsCodec.TryReadQuery(request, out var query, out _));
        var answer = new byte[512];
        var length = DnsCodec.WriteEmpty(request, query, DnsResult.Ok, answer);
        Assert.True(DnsCodec.Answers(answer.AsSpan(0, length), request, query));
        Assert.False(DnsCodec.Answers(request, request, query));
        answer[13] ^= 1;
        Assert.False(DnsCodec.Answers(answer.AsSpan(0, length), request, query));
    }

    private static byte[] Query(string name, bool edns) =>
    [
        0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(edns ? 1 : 0),
        .. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0, 0, 1, 0, 1,
        .. edns ? (byte[])[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0] : [],
    ];
}
