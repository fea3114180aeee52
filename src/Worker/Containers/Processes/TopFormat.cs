namespace Orchestrator.Worker.Containers.Processes;

/// <summary>The columns that arguments of ps(1) ask for. Arguments that choose other processes than the container's have no meaning here.</summary>
/// <remarks>
/// Docker runs the host's ps and guesses columns from its output. /proc is read here instead: a host need not have ps, its output needs no
/// guessing, and no argument of a client becomes one of a program.
/// </remarks>
internal sealed record TopFormat(IReadOnlyList<ProcessColumn> Columns)
{
    private const string Offered = "offered are -ef, -e, aux, ax, and -o with a list of columns";

    /// <exception cref="InvalidContainerException">An argument or column is not offered.</exception>
    internal static TopFormat Parse(string? arguments)
    {
        var words = new Queue<string>((arguments ?? "").Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries).Length == 0
            ? ["-ef"]
            : arguments!.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        var own = new List<ProcessColumn>();
        IReadOnlyList<ProcessColumn>? named = null;
        while (words.TryDequeue(out var word))
        {
            var dashed = word.StartsWith('-') && word is not ("-aux" or "-axu"); // ps takes these two for BSD's, as people mean them
            var letters = word.TrimStart('-');
            if (word.StartsWith("--", StringComparison.Ordinal) || letters.Length == 0)
                throw Refused(word);
            for (var i = 0; i < letters.Length; i++)
            {
                var letter = letters[i];
                if (letter == 'o')
                {
                    var list = letters[(i + 1)..];
                    own.AddRange(List(list.Length > 0 ? list : words.TryDequeue(out var next) ? next : throw Refused(word)));
                    break;
                }
                named = (dashed, letter) switch
                {
                    (true, 'f') => ProcessColumn.Full,
                    (true, 'e' or 'A' or 'w') => named ?? ProcessColumn.Short,
                    (false, 'u') => ProcessColumn.UserOriented,
                    (false, 'a' or 'x' or 'w') => named ?? ProcessColumn.Bsd,
                    _ => throw Refused(word),
                };
            }
        }
        return new TopFormat(own.Count > 0 ? own : named ?? ProcessColumn.Full);
    }

    private static IEnumerable<ProcessColumn> List(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(word =>
        ProcessColumn.Find(word.ToLowerInvariant()) ?? throw new InvalidContainerException(
            "ps_args", $"unknown column '{word}' of ps: known are {string.Join(", ", ProcessColumn.All.Select(c => c.Words.Split(' ')[0]))}"));

    private static InvalidContainerException Refused(string word) => new("ps_args", $"the argument '{word}' of ps is not offered: {Offered}");
}
