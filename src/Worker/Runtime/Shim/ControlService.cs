using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Who the shim is, and its end.</summary>
internal sealed class ControlService(string version, LocalRuntime runtime, CancellationTokenSource stop) : IShimService
{
    internal const string ServiceName = "shim";
    internal const string Hello = "hello";
    internal const string Shutdown = "shutdown";
    internal const string Become = "become";

    public string Name => ServiceName;

    public async Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stopRequest)
    {
        switch (operation)
        {
            case Hello:
                var about = new ShimIdentity(version, Environment.ProcessId, ShimIdentity.CurrentProtocol, ShimIdentity.ThisBuild);
                await reply(JsonSerializer.SerializeToUtf8Bytes(about, ShimJson.Default.ShimIdentity));
                break;
            case Shutdown when runtime.Running > 0:
                throw new ShimException($"The shim does not stop: {runtime.Running} containers run.");
            case Shutdown:
                await stop.CancelAsync();
                break;
            case Become:
                var program = JsonSerializer.Deserialize(request.Span, ShimJson.Default.ShimProgram) ?? throw new ShimException("The request is null.");
                throw new ShimException((await runtime.BecomeAsync(program.Arguments, program.Environment)).Message);
            default:
                throw new ShimException($"The shim has no operation '{operation}'.");
        }
    }
}

/// <summary>What a shim says of itself.</summary>
/// <param name="Version">The program's, for people.</param>
/// <param name="Pid">The process's.</param>
/// <param name="Protocol">Raised when daemon and shim would misunderstand each other.</param>
/// <param name="Build">Tells two builds of one version apart; empty before there were any.</param>
internal sealed record ShimIdentity(string Version, int Pid, int Protocol, string Build = "")
{
    internal const int CurrentProtocol = 1;

    internal static string ThisBuild { get; } = typeof(ShimIdentity).Module.ModuleVersionId.ToString();
}

/// <summary>What a shim is to become: program and arguments, and the environment.</summary>
internal sealed record ShimProgram(ImmutableArray<string> Arguments, ImmutableArray<string> Environment);

[JsonSerializable(typeof(ShimIdentity))]
[JsonSerializable(typeof(ShimProgram))]
internal sealed partial class ShimJson : JsonSerializerContext;
