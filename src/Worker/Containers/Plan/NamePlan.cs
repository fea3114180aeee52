namespace Orchestrator.Worker.Containers.Plan;

/// <summary>A name for a container that was given none.</summary>
internal static class NamePlan
{
    private static readonly string[] Manners =
    [
        "brave", "calm", "careful", "clear", "cosy", "eager", "early", "fair", "fond", "frank", "gentle", "glad", "honest", "keen", "kind",
        "lively", "merry", "mild", "neat", "patient", "polite", "proud", "quick", "quiet", "ready", "sharp", "steady", "sunny", "tidy", "warm",
        "wise", "witty",
    ];

    private static readonly string[] Players =
    [
        "alto", "banjo", "bassoon", "bell", "bugle", "cello", "cornet", "cymbal", "drum", "fiddle", "flute", "gong", "guitar", "harp", "horn",
        "lute", "lyre", "mandolin", "oboe", "organ", "piano", "piccolo", "rebec", "sitar", "tabor", "timpani", "triangle", "tuba", "ukulele",
        "viola", "violin", "zither",
    ];

    /// <param name="random">Non-negative; chooses the words.</param>
    /// <param name="attempt">Above zero the name gets a number: the plain one was taken.</param>
    internal static string Of(int random, int attempt)
    {
        var name = $"{Manners[random % Manners.Length]}_{Players[random / Manners.Length % Players.Length]}";
        return attempt == 0 ? name : $"{name}{attempt}";
    }
}
