using System.Text.Json;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary><c>--security-opt</c>: the daemon gets a profile's text, since the file is the client's; <c>systempaths=unconfined</c> is no option to it.</summary>
internal sealed class SecurityFlag
{
    internal SecurityFlag(string folder, IEnumerable<string> given)
    {
        var options = new List<string>();
        foreach (var text in given)
        {
            if (text == "systempaths=unconfined")
                Unmasked = true;
            else
                options.Add(text.StartsWith("seccomp=", StringComparison.Ordinal) && text[8..] is not ("unconfined" or "builtin") ? "seccomp=" + Profile(folder, text[8..]) : text);
        }

        Options = options;
    }

    internal IReadOnlyList<string> Options { get; }

    /// <summary>No path of /proc and /sys is hidden or read-only.</summary>
    internal bool Unmasked { get; }

    private static string Profile(string folder, string path)
    {
        var full = Path.Combine(folder, path);
        if (!File.Exists(full))
            throw new CommandException($"opening seccomp profile ({path}) failed: there is no such file");
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(full));
            return json.RootElement.GetRawText();
        }
        catch (JsonException e)
        {
            throw new CommandException($"seccomp profile {path} is not JSON: {e.Message}");
        }
    }
}
