using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Tests.Unit.Cli.Commands.Images;

public sealed class SavedArchiveTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("orch-unit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Images_are_saved_together_into_a_file_that_is_whole()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /images/get", (http, _) => http.Response.WriteAsync("archive"));
        var path = Path.Combine(folder, "out.tar");
        Assert.Equal(0, (await engine.RunAsync("save", "-o", path, "a:1", "b")).Code);
        Assert.Equal("GET /images/get?names=a:1&names=b", engine.Calls[0].Call);
        Assert.Equal("archive", await File.ReadAllTextAsync(path));
        Assert.Equal("archive", (await engine.RunAsync("image", "save", "a:1")).Out);
    }

    [Fact]
    public async Task An_archive_that_breaks_off_leaves_the_file_that_was_there_and_no_other()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /containers/c/export", async (http, _) =>
        {
            await http.Response.Body.WriteAsync(Encoding.ASCII.GetBytes("half"));
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        var path = Path.Combine(folder, "out.tar");
        await File.WriteAllTextAsync(path, "before");
        Assert.Equal(1, (await engine.RunAsync("export", "-o", path, "c")).Code);
        Assert.Equal("before", await File.ReadAllTextAsync(path));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task An_output_that_cannot_be_is_refused_before_the_archive_is_asked_for()
    {
        await using var engine = await FakeEngine.StartAsync();
        Assert.Equal(
            "invalid output path '/nowhere/x.tar': its directory does not exist; name a file in a directory that is there\n", (await engine.RunAsync("save", "-o", "/nowhere/x.tar", "a")).Error);
        Assert.Equal(
            $"invalid output path '{folder}': it is a directory; name a file in a directory that is there\n", (await engine.RunAsync("export", "-o", folder, "c")).Error);
        Assert.Empty(engine.Calls);
    }
}
