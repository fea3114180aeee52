namespace Orchestrator.Cli.Commands.Demo;

/// <summary>The example that the demo runs, carried in the binary: <c>examples/stacks/hello.yml</c> and its image's context.</summary>
internal static class DemoFiles
{
    private static readonly string[] Names = ["stacks/hello.yml", "images/hello/Dockerfile", "images/hello/serve"];

    /// <summary>Writes the files below a folder; the answer is the stack file.</summary>
    internal static async Task<string> WriteAsync(string folder, CancellationToken stop)
    {
        foreach (var name in Names)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var content = typeof(DemoFiles).Assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"the binary was built without {name}");
            await using (var file = File.Create(path))
                await content.CopyToAsync(file, stop);
            if (name.EndsWith("/serve", StringComparison.Ordinal))
                File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("755", 8));
        }
        return Path.Combine(folder, Names[0]);
    }
}
