using System.Threading.Channels;
using Orchestrator.Shared.Http;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary>
/// Runs an image operation and streams its progress as JSON lines. A failure before the first line is an ordinary error answer;
/// after it, the last line carries the error, as Docker's clients expect.
/// </summary>
internal sealed class ProgressLines : IProgress<ProgressMessage>
{
    // Unbounded because progress is told synchronously; what waits is a build's own output.
    private readonly Channel<ProgressMessage> _waiting = Channel.CreateUnbounded<ProgressMessage>(new UnboundedChannelOptions { SingleReader = true });

    public void Report(ProgressMessage value) => _waiting.Writer.TryWrite(value);

    internal static async Task RunAsync(ApiRequest request, Func<IProgress<ProgressMessage>, Task> operation)
    {
        var progress = new ProgressLines();
        var running = progress.RunAsync(operation);
        JsonLines? lines = null;
        try
        {
            await foreach (var message in progress._waiting.Reader.ReadAllAsync(request.Stop))
            {
                lines ??= await request.LinesAsync();
                await lines.WriteAsync(message, ImageJson.Default.ProgressMessage, request.Stop);
            }
        }
        finally
        {
            // The request's token ends the operation too; nothing outlives the call.
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        try
        {
            await running;
        }
        catch (Exception failure) when (lines is not null && failure is not OperationCanceledException)
        {
            var code = EngineApi.Translate(failure) is null ? (int?)null : 1;
            await lines.WriteAsync(ProgressMessage.Failed(failure.Message, code), ImageJson.Default.ProgressMessage, request.Stop);
            return;
        }

        if (lines is null)
            await request.LinesAsync();
    }

    private async Task RunAsync(Func<IProgress<ProgressMessage>, Task> operation)
    {
        try
        {
            await operation(this);
        }
        finally
        {
            _waiting.Writer.TryComplete();
        }
    }
}
