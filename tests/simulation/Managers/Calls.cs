using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Orchestrator.Manager;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Calls and streams between places: run on the called process, answered late or not at all, broken when it dies or when the wire stays cut.</summary>
/// <param name="surprised">Told of an exception that no caller should ever see.</param>
internal sealed class Calls(Fabric fabric, Action<Exception> surprised)
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(2);

    /// <exception cref="RpcException">It refused, or it is not known what became of the call.</exception>
    internal async Task<T> CallAsync<T>(
        int from, SimulatedManager to, Func<ManagerHost, CancellationToken, Task<T>> call, TimeSpan patience, CancellationToken stop)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (to.Life is not { } life)
        {
            await RefusedAsync(from, to);
            throw new RpcException(RpcStatus.Unavailable, "connection refused");
        }

        var server = new CancellationTokenSource();
        void Broke() => fabric.After(fabric.Delay(), () => done.TrySetException(new RpcException(RpcStatus.Unavailable, "connection reset")));
        life.Machine.Died += Broke;
        fabric.After(patience, () => done.TrySetException(new RpcException(RpcStatus.DeadlineExceeded, "no answer")));
        using var cancel = stop.UnsafeRegister(static (d, token) => ((TaskCompletionSource<T>)d!).TrySetCanceled(token), done);
        fabric.After(fabric.Delay(), () =>
        {
            if (!fabric.IsCut(from, to.Number))
                life.Machine.Run(() => _ = ServeAsync(life, to.Number, from, call, done, server.Token));
        });
        try
        {
            return await done.Task;
        }
        finally
        {
            life.Machine.Died -= Broke;
            life.Machine.Run(server.Cancel);
        }
    }

    private async Task ServeAsync<T>(
        Life life, int self, int caller, Func<ManagerHost, CancellationToken, Task<T>> call, TaskCompletionSource<T> done, CancellationToken stop)
    {
        try
        {
            var result = await call(life.Host, stop);
            Reply(() => done.TrySetResult(result));
        }
        catch (Exception failure)
        {
            var told = Translate(failure);
            Reply(() => done.TrySetException(told));
        }

        void Reply(Action set)
        {
            if (!fabric.IsCut(self, caller))
                fabric.After(fabric.Delay(), set);
        }
    }

    /// <summary>A stream in order. It ends with the server's; it breaks when its process dies or a message could not pass for a while.</summary>
    internal async IAsyncEnumerable<T> StreamAsync<T>(
        int from, SimulatedManager to, Func<ManagerHost, CancellationToken, IAsyncEnumerable<T>> call, Action<Life> sends, [EnumeratorCancellation] CancellationToken stop)
    {
        if (to.Life is not { } life || fabric.IsCut(from, to.Number) || fabric.IsCut(to.Number, from))
        {
            await RefusedAsync(from, to);
            throw new RpcException(RpcStatus.Unavailable, "connection refused");
        }

        var items = Channel.CreateUnbounded<T>();
        var server = new CancellationTokenSource();
        var ready = default(DateTimeOffset);
        void Broke() => fabric.After(fabric.Delay(), () => End(new RpcException(RpcStatus.Unavailable, "connection reset")));
        void End(Exception? why) => items.Writer.TryComplete(why);
        life.Machine.Died += Broke;
        fabric.After(fabric.Delay(), () => life.Machine.Run(() => _ = ServeStreamAsync()));
        try
        {
            while (await items.Reader.WaitToReadAsync(stop)) // not ReadAllAsync, which leaves the simulation's thread
            {
                while (items.Reader.TryRead(out var item))
                    yield return item;
            }
        }
        finally
        {
            life.Machine.Died -= Broke;
            // A server that is cut off learns it from silence.
            fabric.After(fabric.IsCut(from, to.Number) ? KeepAlive : fabric.Delay(), () => life.Machine.Run(server.Cancel));
        }

        async Task ServeStreamAsync()
        {
            try
            {
                await foreach (var item in call(life.Host, server.Token))
                {
                    sends(life);
                    Send(() => items.Writer.TryWrite(item));
                }

                Send(() => End(null));
            }
            catch (OperationCanceledException) when (server.IsCancellationRequested)
            {
                End(null);
            }
            catch (Exception failure)
            {
                var told = Translate(failure);
                Send(() => End(told));
            }
        }

        void Send(Action arrive)
        {
            if (fabric.IsCut(to.Number, from))
            {
                fabric.After(KeepAlive, () =>
                {
                    End(new RpcException(RpcStatus.Unavailable, "connection lost"));
                    life.Machine.Run(server.Cancel);
                });
                return;
            }

            var now = fabric.Now;
            var at = now + fabric.Delay();
            ready = at > ready ? at : ready;
            fabric.After(ready - now, arrive);
        }
    }

    private Task RefusedAsync(int from, SimulatedManager to) =>
        fabric.WaitAsync(fabric.IsCut(from, to.Number) || fabric.IsCut(to.Number, from) ? KeepAlive : fabric.Delay());

    private Exception Translate(Exception failure)
    {
        if (failure is RpcException)
            return failure;
        if (failure is ClusterUnavailableException or NotLeaderException or ProposalDroppedException or MembershipException)
            return new RpcException(RpcStatus.Unavailable, failure.Message);
        if (failure is OperationCanceledException)
            return new RpcException(RpcStatus.Cancelled, failure.Message);
        surprised(failure);
        return new RpcException(RpcStatus.Internal, failure.Message);
    }
}
