using System.Formats.Tar;
using System.Runtime.CompilerServices;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Demo;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class DemoTests
{
    /// <summary>The smallest program without a loader: an ELF header that lists no program headers.</summary>
    private static readonly byte[] Static = [0x7f, (byte)'E', (byte)'L', (byte)'F', .. new byte[60]];

    [Fact]
    public void The_base_image_is_an_archive_that_names_its_one_layer_by_digest()
    {
        var archive = BaseImage.Archive(Static, ["sh", "httpd"]);
        var entries = Entries(archive);
        Assert.Equal(3, entries.Count);
        var layer = entries.Single(e => e.Key.EndsWith("/layer.tar", StringComparison.Ordinal));
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(layer.Value));
        Assert.Equal($"{digest}/layer.tar", layer.Key);
        Assert.Contains($"\"Layers\":[\"{layer.Key}\"]", System.Text.Encoding.UTF8.GetString(entries["manifest.json"]), StringComparison.Ordinal);
        Assert.Equal(archive, BaseImage.Archive(Static, ["httpd", "sh", "sh"]));
        Assert.Contains("bin/httpd", Entries(layer.Value).Keys);
    }

    [Fact]
    public void A_program_that_is_not_static_is_refused() =>
        Assert.Contains("not static", Assert.Throws<CommandException>(() => BaseImage.Archive(File.ReadAllBytes("/bin/ls"), [])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_files_of_the_demo_are_in_the_binary()
    {
        var folder = Directory.CreateTempSubdirectory("orch-demo-files-").FullName;
        try
        {
            var stack = await DemoFiles.WriteAsync(folder, TestContext.Current.CancellationToken);
            Assert.Equal(0, (await Run.OrchAsync(["stack", "config", "-c", stack])).Code);
            Assert.True(File.GetUnixFileMode(Path.Combine(folder, "images/hello/serve")).HasFlag(UnixFileMode.UserExecute));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("names")]
    [InlineData("agent")]
    [InlineData("limits")]
    public async Task Every_example_is_a_stack_without_problems(string name)
    {
        var ran = await Run.OrchAsync(["stack", "config", "-c", Path.Combine(Here(), "../../../../examples/stacks", name + ".yml")]);
        Assert.Equal((0, ""), (ran.Code, ran.Error));
    }

    private static Dictionary<string, byte[]> Entries(byte[] archive)
    {
        using var tar = new TarReader(new MemoryStream(archive));
        var entries = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            entries[entry.Name] = content.ToArray();
        }
        return entries;
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
