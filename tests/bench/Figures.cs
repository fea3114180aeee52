namespace Orchestrator.Tests.Bench;

/// <summary>Prints what was measured: medians with their range, and the ratio pair by pair, since machines drift.</summary>
internal static class Figures
{
    internal static void Print(string what, string nameA, IReadOnlyList<double> a, string nameB, IReadOnlyList<double> b, string unit)
    {
        var ratios = a.Zip(b, (x, y) => x / y).ToArray();
        Console.WriteLine($"{what} (n={a.Count})");
        Console.WriteLine($"  {nameA,-14} {Row(a, unit)}");
        Console.WriteLine($"  {nameB,-14} {Row(b, unit)}");
        Console.WriteLine($"  ratio          median {Median(ratios):F3}  min {ratios.Min():F3}  max {ratios.Max():F3}");
    }

    internal static string Row(IReadOnlyList<double> values, string unit) =>
        $"median {Median(values):F3} {unit}  min {values.Min():F3}  max {values.Max():F3}";

    internal static double Median(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
