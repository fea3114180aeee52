using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>A host with a cluster of one and busybox loaded, as a person has it before the first stack.</summary>
internal static class CliHost
{
    internal static async Task<OrchHost> StartAsync()
    {
        var host = await OrchHost.StartAsync();
        try
        {
            (await host.OrchAsync("swarm", "init")).Succeeded();
            var archive = Path.Combine(host.Root, "busybox.tar");
            await File.WriteAllBytesAsync(archive, TestImages.Busybox());
            (await host.OrchAsync("image", "load", "-i", archive)).Succeeded();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a stack file of the given name and text; the answer is its path.</summary>
    internal static async Task<string> WriteAsync(OrchHost host, string name, string text)
    {
        var path = Path.Combine(host.Root, name);
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    /// <summary>A file of the repository's examples.</summary>
    internal static string Example(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Orchestrator.sln")))
                return Path.Combine(folder.FullName, "examples", "stacks", name);
        }
        throw new InvalidOperationException("the tests run outside of the repository");
    }
}
