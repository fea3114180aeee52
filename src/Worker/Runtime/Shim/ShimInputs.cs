using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Ways into containers (terminals' masters, stdins' writing ends) that one shim inherits from whoever held them when it was executed, as numbers of open
/// descriptors in its environment: <c>ID=5,ID=9</c>.
/// </summary>
internal static class ShimInputs
{
    internal const string VariableName = "ORCH_SHIM_INPUTS";

    internal static string Variable(IEnumerable<(string Id, int Descriptor)> inputs) =>
        $"{VariableName}={string.Join(',', inputs.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i.Id}={i.Descriptor}")))}";

    /// <summary>Takes them, so that they go no further: not to containers, not to those who ask again.</summary>
    internal static IReadOnlyList<(string Id, SafeFileHandle File)> Receive()
    {
        var text = Environment.GetEnvironmentVariable(VariableName);
        Environment.SetEnvironmentVariable(VariableName, null);
        var found = new List<(string, SafeFileHandle)>();
        foreach (var one in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (one.Split('=') is not [var id, var number] || !int.TryParse(number, CultureInfo.InvariantCulture, out var fd))
                continue;
            Self.KeepOverExecute(fd, keep: false);
            found.Add((id, new SafeFileHandle(fd, ownsHandle: true)));
        }
        return found;
    }
}
