using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Patterns of file names: Go's <c>filepath.Match</c>, and for .dockerignore also <c>**</c>.</summary>
internal static class PathPattern
{
    internal static bool HasMagic(string pattern) => pattern.AsSpan().IndexOfAny("*?[\\") >= 0;

    /// <summary>A pattern as an anchored regular expression; <c>*</c> and <c>?</c> do not cross a slash, <c>**</c> does.</summary>
    /// <exception cref="FormatException">A bracket is not closed, or an escape stands at the end.</exception>
    internal static Regex Compile(string pattern)
    {
        var text = new StringBuilder("\\A");
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when i + 1 < pattern.Length && pattern[i + 1] == '*':
                    i++;
                    if (i + 1 < pattern.Length && pattern[i + 1] == '/')
                    {
                        i++;
                        text.Append("(?:.*/)?");
                    }
                    else
                    {
                        text.Append(".*");
                    }
                    break;
                case '*':
                    text.Append("[^/]*");
                    break;
                case '?':
                    text.Append("[^/]");
                    break;
                case '[':
                    i = Class(pattern, i, text);
                    break;
                case '\\':
                    if (++i == pattern.Length)
                        throw new FormatException($"syntax error in pattern: {pattern}");
                    text.Append(Regex.Escape(pattern[i].ToString()));
                    break;
                default:
                    text.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }
        return new(text.Append("\\z").ToString(), RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }

    private static int Class(string pattern, int start, StringBuilder text)
    {
        var i = start + 1;
        text.Append('[');
        if (i < pattern.Length && pattern[i] == '^')
        {
            text.Append('^');
            i++;
        }
        var first = i;
        for (; i < pattern.Length && (pattern[i] != ']' || i == first); i++)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
                i++;
            else if (pattern[i] == '-' && i > first && i + 1 < pattern.Length && pattern[i + 1] != ']')
            {
                text.Append('-');
                continue;
            }
            text.Append(pattern[i] is '\\' or ']' or '[' or '^' or '-' ? $"\\{pattern[i]}" : pattern[i].ToString());
        }
        if (i >= pattern.Length)
            throw new FormatException($"syntax error in pattern: {pattern}");
        text.Append(']');
        return i;
    }
}
