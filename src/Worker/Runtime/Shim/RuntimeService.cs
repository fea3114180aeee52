using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>The shim's end of the subject "containers".</summary>
internal sealed partial class RuntimeService(LocalRuntime runtime) : IShimService
{
    internal const string ServiceName = "containers";
    internal const string Start = "start";
    internal const string Signal = "signal";
    internal const string Delete = "delete";
    internal const string List = "list";
    internal const string Exits = "exits";
    internal const string Pause = "pause";
    internal const string Resume = "resume";
    internal const string Update = "update";
    internal const string Usage = "usage";
    internal const string Processes = "processes";
    internal const string OutOfMemory = "out-of-memory";

    public string Name => ServiceName;

    public bool LeavesAtOnce(string operation) => operation == Exec;

    public Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stop) =>
        HandleAsync(operation, new ShimMessage(request), message => reply(message.Payload), stop);

    public async Task HandleAsync(string operation, ShimMessage message, Func<ShimMessage, ValueTask> reply, CancellationToken stop)
    {
        message.Close(); // no operation takes files
        var request = message.Payload;
        try
        {
            switch (operation)
            {
                case Start:
                    var started = await runtime.StartAsync(Read(request, RuntimeJson.Default.LaunchRequest), stop);
                    await AnswerAsync(new RuntimeReply { Started = started });
                    break;
                case Signal:
                    var signal = Read(request, RuntimeJson.Default.SignalRequest);
                    await runtime.SignalAsync(signal.Id, signal.Number, stop);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case Delete:
                    await runtime.DeleteAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, stop);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case List:
                    await AnswerAsync(new RuntimeReply { Containers = await runtime.ListAsync(stop) });
                    break;
                case Exits:
                    await foreach (var exit in runtime.WatchExitsAsync(stop))
                        await AnswerAsync(new RuntimeReply { Exit = exit });
                    break;
                case Exec:
                    await ExecAsync(Read(request, RuntimeJson.Default.ExecRequest), (answer, files) => reply(Message(answer, files)), stop);
                    break;
                case Attach:
                    await AttachAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, (answer, files) => reply(Message(answer, files)), stop);
                    break;
                case HoldInput:
                    await HoldInputAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, (answer, files) => reply(Message(answer, files)), stop);
                    break;
                case MarkInputFinal:
                    var final = Read(request, RuntimeJson.Default.SessionRequest);
                    await runtime.MarkInputFinalAsync(final.Id, final.Session);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case Resize:
                    var size = Read(request, RuntimeJson.Default.ResizeRequest);
                    await runtime.ResizeAsync(size.Id, size.Rows, size.Columns, stop);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case SignalExec:
                    var kill = Read(request, RuntimeJson.Default.ExecSignalRequest);
                    await runtime.SignalExecAsync(kill.Id, kill.ExecId, kill.Number);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case Pause:
                    await runtime.PauseAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, stop);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case Resume:
                    await runtime.ResumeAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, stop);
                    await AnswerAsync(new RuntimeReply());
                    break;
                case Update:
                    var update = Read(request, RuntimeJson.Default.UpdateRequest);
                    await AnswerAsync(new RuntimeReply { Warnings = await runtime.UpdateAsync(update.Id, update.Resources, stop) });
                    break;
                case OutOfMemory:
                    await foreach (var id in runtime.WatchOutOfMemoryAsync(stop))
                        await AnswerAsync(new RuntimeReply { OutOfMemory = id });
                    break;
                case Usage:
                    await AnswerAsync(new RuntimeReply { Usage = await runtime.ReadUsageAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, stop) });
                    break;
                case Processes:
                    await AnswerAsync(new RuntimeReply { Processes = await runtime.ListProcessesAsync(Read(request, RuntimeJson.Default.SignalRequest).Id, stop) });
                    break;
                default:
                    throw new ShimException($"The runtime has no operation '{operation}'.");
            }
        }
        catch (RuntimeException refused)
        {
            await AnswerAsync(new RuntimeReply { Failure = refused.Message, FailureExitCode = refused.ExitCode });
        }

        ValueTask AnswerAsync(RuntimeReply answer) => reply(Message(answer, []));
    }

    private static ShimMessage Message(RuntimeReply answer, ImmutableArray<SafeFileHandle> files) =>
        new(JsonSerializer.SerializeToUtf8Bytes(answer, RuntimeJson.Default.RuntimeReply), files);

    private static T Read<T>(ReadOnlyMemory<byte> request, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(request.Span, type) ?? throw new ShimException("The request is null.");
}

internal sealed record SignalRequest(string Id, int Number);

internal sealed record UpdateRequest(string Id, Spec.OciResources Resources);

/// <summary>The answer to any operation: a failure, or what the operation gives.</summary>
internal sealed record RuntimeReply
{
    public string? Failure { get; init; }
    public int FailureExitCode { get; init; }
    public StartedContainer? Started { get; init; }
    public IReadOnlyList<ContainerRecord>? Containers { get; init; }
    public ContainerExit? Exit { get; init; }
    public ExecStarted? Exec { get; init; }
    public SessionOpened? Session { get; init; }
    public IReadOnlyList<string>? Warnings { get; init; }
    public ContainerUsage? Usage { get; init; }
    public string? OutOfMemory { get; init; }
    public IReadOnlyList<int>? Processes { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LaunchRequest))]
[JsonSerializable(typeof(SignalRequest))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(ResizeRequest))]
[JsonSerializable(typeof(ExecSignalRequest))]
[JsonSerializable(typeof(UpdateRequest))]
[JsonSerializable(typeof(RuntimeReply))]
internal sealed partial class RuntimeJson : JsonSerializerContext;
