using System.Runtime.CompilerServices;
using System.Text.Json;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Pausing, limits and counts.</summary>
internal sealed partial class ShimRuntime
{
    public Task PauseAsync(string id, CancellationToken stop) => CallAsync(RuntimeService.Pause, Request(id, 0), stop);

    public Task ResumeAsync(string id, CancellationToken stop) => CallAsync(RuntimeService.Resume, Request(id, 0), stop);

    public async Task<IReadOnlyList<string>> UpdateAsync(string id, OciResources resources, CancellationToken stop) =>
        (await CallAsync(RuntimeService.Update, JsonSerializer.SerializeToUtf8Bytes(new UpdateRequest(id, resources), RuntimeJson.Default.UpdateRequest), stop)).Warnings ?? [];

    public async IAsyncEnumerable<string> WatchOutOfMemoryAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var item in shim.StreamAsync(RuntimeService.ServiceName, RuntimeService.OutOfMemory, ReadOnlyMemory<byte>.Empty, stop))
            yield return Parse(item).OutOfMemory!;
    }

    public async Task<ContainerUsage> ReadUsageAsync(string id, CancellationToken stop) =>
        (await CallAsync(RuntimeService.Usage, Request(id, 0), stop)).Usage ?? throw new RuntimeException("The shim answered a question for usage with nothing.");

    public async Task<IReadOnlyList<int>> ListProcessesAsync(string id, CancellationToken stop) =>
        (await CallAsync(RuntimeService.Processes, Request(id, 0), stop)).Processes ?? [];
}
