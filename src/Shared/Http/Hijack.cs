using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Orchestrator.Shared.Http;

/// <summary>
/// Stands between the socket and the HTTP server, which sees a connection of the usual kind until a call takes it over. Kestrel's own upgrade
/// does not do: it refuses requests with a body, and takes the end of the client's input for the end of the connection.
/// </summary>
public static class Hijack
{
    /// <summary>Lets the calls of this endpoint take their connections over.</summary>
    public static void UseHijack(this ListenOptions endpoint) => endpoint.Use(next => async connection =>
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual("h2"u8) is true)
        {
            await next(connection); // many calls share it: it is nobody's to take
            return;
        }

        await using var own = new HijackableConnection(connection);
        connection.Features.Set<IHijackFeature>(own);
        await next(own);
        await own.FinishAsync();
    });
}

/// <summary>A connection as the HTTP server sees it; once taken, it is silent and does not end before the call does.</summary>
internal sealed class HijackableConnection : ConnectionContext, IHijackFeature
{
    private readonly ConnectionContext inner;
    private readonly CancellationTokenSource closed = new();
    private readonly CancellationTokenRegistration closing;
    private readonly HijackableReader reader;
    private readonly HijackableWriter writer;
    private readonly Lock guard = new();
    private bool taken;
    private bool ended;

    internal HijackableConnection(ConnectionContext inner)
    {
        this.inner = inner;
        reader = new HijackableReader(inner.Transport.Input);
        writer = new HijackableWriter(inner.Transport.Output);
        Transport = new Pipes(reader, writer);
        closing = inner.ConnectionClosed.UnsafeRegister(static own => ((HijackableConnection)own!).InnerClosed(), this);
    }

    public override string ConnectionId
    {
        get => inner.ConnectionId;
        set => inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => inner.Items;
        set => inner.Items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? LocalEndPoint
    {
        get => inner.LocalEndPoint;
        set => inner.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => inner.RemoteEndPoint;
        set => inner.RemoteEndPoint = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => closed.Token;
        set => throw new NotSupportedException("the end of a connection is the socket's own");
    }

    /// <summary>The server's own reasons: a body that it never read, above all. What was taken is not the server's to break off.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        lock (guard)
        {
            if (taken)
                return;
        }

        inner.Abort(abortReason);
    }

    public bool IsTaken
    {
        get
        {
            lock (guard)
                return taken;
        }
    }

    public HijackedConnection Take()
    {
        lock (guard)
        {
            if (taken)
                throw new InvalidOperationException("the connection has been taken over already");
            taken = true;
        }

        reader.Leave();
        writer.Leave();
        var stopping = inner.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        return new HijackedConnection(inner.Transport.Input, inner.Transport.Output, stopping);
    }

    /// <summary>The server is done with it: a connection that was taken over is closed behind what was written.</summary>
    internal async Task FinishAsync()
    {
        if (!taken)
            return;
        await inner.Transport.Output.CompleteAsync();
        await inner.Transport.Input.CompleteAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await closing.DisposeAsync();
        lock (guard)
        {
            ended = true;
            closed.Dispose();
        }

        await base.DisposeAsync();
    }

    /// <summary>The client has closed its side at least. For HTTP it is gone; for who took the connection it may still listen.</summary>
    private void InnerClosed()
    {
        lock (guard)
        {
            if (taken || ended)
                return;
        }

        closed.Cancel();
    }

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = input;

        public PipeWriter Output { get; } = output;
    }
}
