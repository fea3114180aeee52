using System.Globalization;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>What <c>writes</c> was asked for.</summary>
/// <param name="Rounds">Of each side, in turn.</param>
/// <param name="Clients">How many write at once, one figure after another.</param>
/// <param name="SyncDelay">Milliseconds that each fsync takes longer on both sides; null: as the disk is.</param>
/// <param name="Only">One side alone, for profiling; null: both.</param>
internal sealed record WriteArguments(int Rounds, IReadOnlyList<int> Clients, string? SyncDelay, string? Only)
{
    /// <summary>Null when they make no sense, which is told.</summary>
    internal static WriteArguments? Read(string[] words)
    {
        var read = new WriteArguments(5, [1, 64, 512], null, null);
        var problems = new List<string>();
        for (var i = 0; i < words.Length; i++)
        {
            var value = i + 1 < words.Length ? words[i + 1] : "";
            switch (words[i])
            {
                case "--clients" when value.Split(',').All(n => Number(n) > 0):
                    read = read with { Clients = [.. value.Split(',').Select(Number)] };
                    i++;
                    break;
                case "--sync-delay" when double.TryParse(value, CultureInfo.InvariantCulture, out var delay) && delay >= 0:
                    read = read with { SyncDelay = value };
                    i++;
                    break;
                case "--only" when value is "orch" or "etcd":
                    read = read with { Only = value };
                    i++;
                    break;
                case var rounds when Number(rounds) > 0:
                    read = read with { Rounds = Number(rounds) };
                    break;
                default:
                    problems.Add($"'{words[i]} {value}'");
                    break;
            }
        }

        if (problems.Count == 0)
            return read;
        Console.Error.WriteLine($"not understood: {string.Join(", ", problems)}; usage: writes [ROUNDS] [--clients 1,64,512] [--sync-delay MILLISECONDS] [--only orch|etcd]");
        return null;
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
