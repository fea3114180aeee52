using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Orchestrator.Shared.Http;

/// <summary>
/// Hands on what arrives by another thread than the one that was told of it: who reads may hold that thread, as one does that unpacks an archive. For
/// the connections of an endpoint whose other handlers never do (<see cref="HttpHost.StartInlineAsync"/>).
/// </summary>
internal sealed class ApartReader(PipeReader inner) : PipeReader
{
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reading = inner.ReadAsync(cancellationToken);
        if (reading.IsCompleted)
            return await reading;
        var read = await reading;
        await Task.Yield();
        return read;
    }

    public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
}

/// <summary>Where <see cref="ApartReader"/> comes in.</summary>
public static class ApartReading
{
    /// <summary>Below TLS: connections of HTTP/1.1 are read apart, those of HTTP/2 as the endpoint does.</summary>
    public static void UseApartForHttp11(this ListenOptions endpoint) => endpoint.Use(next => async connection =>
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual(SslApplicationProtocol.Http11.Protocol.Span) is not true)
        {
            await next(connection);
            return;
        }

        var before = connection.Transport;
        connection.Transport = new Pipes(new ApartReader(before.Input), before.Output);
        await Task.Yield(); // the first request may have come with the handshake's end
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = before;
        }
    });

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
