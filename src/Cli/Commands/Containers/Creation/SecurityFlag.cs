using System.Text.Json;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary><c>--security-opt</c>: the daemon gets a seccomp profile's text, since the file is the client's.</summary>
internal static class SecurityFlag
{
    private const string Seccomp = "seccomp=";

    internal static string Read(string folder, string text) =>
        text.StartsWith(Seccomp, StringComparison.Ordinal) && text[Seccomp.Length..] is not ("unconfined" or "builtin")
            ? Seccomp + Profile(folder, text[Seccomp.Length..])
            : text;

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
