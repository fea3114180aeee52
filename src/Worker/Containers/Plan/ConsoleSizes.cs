using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Sizes of terminals as requests carry them: rows and columns.</summary>
internal static class ConsoleSizes
{
    internal static void Check(IReadOnlyList<int> size, string where, List<Problem> problems)
    {
        if (size is not ([] or [>= 0 and <= ushort.MaxValue, >= 0 and <= ushort.MaxValue]))
            problems.Add(new Problem(where, "a terminal's size is two numbers from 0 to 65535: rows and columns"));
    }

    /// <summary>Null where nothing is said: 0 by 0 is what clients without a terminal write.</summary>
    internal static ConsoleSize? Of(IReadOnlyList<int> size) => size is [var rows, var columns] && (rows > 0 || columns > 0) ? new ConsoleSize(rows, columns) : null;
}
