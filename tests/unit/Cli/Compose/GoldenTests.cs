using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Orchestrator.Cli.Compose;
using Orchestrator.Cli.Compose.Conversion;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Compose;

/// <summary>Each folder of Golden/ is a case: stack.yml (and over.yml laid over it) beside spec.json or problems.txt.</summary>
/// <remarks>ORCH_GOLDEN=write writes what came out; read the difference before you keep it.</remarks>
public sealed class GoldenTests
{
    private static readonly string Root = Path.Combine(Here(), "Golden");

    public static TheoryData<string> Cases() => [.. Directory.GetDirectories(Root).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stack_file_means_what_its_golden_file_says(string name)
    {
        var folder = Path.Combine(Root, name);
        var result = Read(folder, [.. new[] { "stack.yml", "over.yml" }
            .Where(f => File.Exists(Path.Combine(folder, f)))
            .Select(f => new ComposeText(f, File.ReadAllText(Path.Combine(folder, f))))]);
        Check(Path.Combine(folder, "problems.txt"), string.Concat(result.Problems.Select(p => p + "\n")));
        Check(Path.Combine(folder, "warnings.txt"), string.Concat(result.Warnings.Select(w => w + "\n")));
        Check(Path.Combine(folder, "spec.json"), result.File is null ? "" : Text(StackConversion.Convert(result.File, "app", prune: false)));
        if (result.File is not null && File.Exists(Path.Combine(folder, "config.yml")))
            Check(Path.Combine(folder, "config.yml"), ComposeWriter.Write(result.File.Source));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_stack_config_prints_means_the_same_stack(string name)
    {
        var folder = Path.Combine(Root, name);
        if (!File.Exists(Path.Combine(folder, "spec.json")))
            return; // a file that is refused has no config
        var first = Read(folder, [.. new[] { "stack.yml", "over.yml" }
            .Where(f => File.Exists(Path.Combine(folder, f)))
            .Select(f => new ComposeText(f, File.ReadAllText(Path.Combine(folder, f))))]).File!;
        var again = Read(folder, [new ComposeText("config.yml", ComposeWriter.Write(first.Source))]);
        Assert.Empty(again.Problems);
        Assert.Equal(Text(StackConversion.Convert(first, "app", prune: false)), Text(StackConversion.Convert(again.File!, "app", prune: false)));
    }

    private static ComposeResult Read(string folder, IReadOnlyList<ComposeText> files) => ComposeReader.Read(new ComposeInputs
    {
        Files = files,
        Folder = "/stack",
        Home = "/home/me",
        Environment = new Dictionary<string, string> { ["TAG"] = "1.2", ["EMPTY"] = "", ["FROM_SHELL"] = "shell", ["COUNT"] = "4" },
        ReadFile = path => File.Exists(path.Replace("/stack", folder)) ? File.ReadAllText(path.Replace("/stack", folder)) : null,
        ReadBytes = path => File.Exists(path.Replace("/stack", folder)) ? File.ReadAllBytes(path.Replace("/stack", folder)) : null,
    });

    private static string Text(StackSpec spec)
    {
        using var json = JsonDocument.Parse(ModelJson.Write(spec));
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions
        {
            Indented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
        {
            json.RootElement.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Check(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("ORCH_GOLDEN") == "write")
        {
            if (actual.Length > 0)
                File.WriteAllText(path, actual);
            else
                File.Delete(path);
        }
        Assert.Equal(File.Exists(path) ? File.ReadAllText(path) : "", actual);
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
