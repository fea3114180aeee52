using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Orchestrator.Tests.Unit.Architecture;

public sealed partial class LockTests
{
    /// <summary>Such a lock, in an asynchronous method, was not let go by the trimmed release binary, while every development build did.</summary>
    [Fact]
    public void No_finally_takes_a_lock_itself()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Here(), "..", "..", "..", "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)).ToList();
        Assert.True(sources.Count > 300);
        Assert.Empty(sources.Where(f => LockInFinally().IsMatch(File.ReadAllText(f))).Select(Path.GetFileName));
    }

    [GeneratedRegex(@"\bfinally\s*\{\s*lock \(", RegexOptions.CultureInvariant)]
    private static partial Regex LockInFinally();

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
