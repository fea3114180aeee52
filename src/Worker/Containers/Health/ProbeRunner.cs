using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Health;

/// <summary>Runs one probe inside a container, and kills it when it takes too long.</summary>
internal sealed class ProbeRunner(IRuntime runtime, TimeProvider time)
{
    /// <summary>Between a probe's end and the end of its output, which something it left behind may hold open.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    /// <exception cref="OperationCanceledException">Nobody wants the result any more.</exception>
    internal async Task<HealthProbe> RunAsync(string container, OciProcess process, TimeSpan timeout, CancellationToken stop)
    {
        var start = time.GetUtcNow();
        var output = new ProbeOutput();
        int code;
        using var limit = new CancellationTokenSource(timeout, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            var launch = new ExecLaunch { ExecId = Guid.NewGuid().ToString("N"), Process = process, Stdout = true, Stderr = true };
            await using var session = await runtime.ExecAsync(container, launch, ends.Token);
            using var reads = CancellationTokenSource.CreateLinkedTokenSource(ends.Token);
            var reading = Task.WhenAll(output.ReadAsync(session.Output, reads.Token), output.ReadAsync(session.Error, reads.Token));
            try
            {
                code = (await session.Ended.WaitAsync(ends.Token)).ExitCode;
                reads.CancelAfter(Rest);
            }
            catch (OperationCanceledException)
            {
                await session.SignalAsync(Signals.Kill);
                throw;
            }
            finally
            {
                if (ends.IsCancellationRequested)
                    await reads.CancelAsync();
                await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            var seconds = Text(timeout);
            var printed = output.ToString();
            return Probe(-1, printed.Length > 0 ? $"Health check exceeded timeout ({seconds}): {printed}" : $"Health check exceeded timeout ({seconds})");
        }
        catch (RuntimeException e)
        {
            // Its program is missing, or the container ends just now.
            return Probe(-1, e.Message);
        }

        return Probe(code, output.ToString());

        HealthProbe Probe(int exit, string said) => new() { Start = start, End = time.GetUtcNow(), ExitCode = exit, Output = said };
    }

    private static string Text(TimeSpan time) => time.TotalSeconds >= 1
        ? time.TotalSeconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) + "s"
        : time.TotalMilliseconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) + "ms";
}
