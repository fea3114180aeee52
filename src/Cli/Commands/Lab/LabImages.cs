using System.Net.Http.Headers;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Images;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>Brings images into the lab's hosts: no registry can be reached from there.</summary>
internal sealed class LabImages(LabPlace place, Shell shell)
{
    /// <summary>Where an image comes from: an archive as <c>image save</c> writes, opened anew for each host.</summary>
    internal delegate Task<Stream> Source(CancellationToken stop);

    /// <summary>An archive that exists, else an image of the given daemon by name; kept in a file that is gone with the returned scope.</summary>
    internal static async Task<(Source Open, IDisposable Scope)> FindAsync(string name, Shell shell, EngineClient daemon, CancellationToken stop)
    {
        var path = Path.Combine(shell.Folder, name);
        if (File.Exists(path))
            return (_ => Task.FromResult<Stream>(File.OpenRead(path)), new Scope(null));
        var copy = Path.GetTempFileName();
        var scope = new Scope(copy);
        try
        {
            using var response = await daemon.OpenAsync(HttpMethod.Get, $"/images/{EngineClient.Name(name)}/get", null, stop);
            await using var from = await response.Content.ReadAsStreamAsync(stop);
            await using (var to = File.Create(copy))
                await from.CopyToAsync(to, stop);
            return (_ => Task.FromResult<Stream>(File.OpenRead(copy)), scope);
        }
        catch (EngineException e)
        {
            scope.Dispose();
            throw new CommandException($"{name} is no file, and {daemon.Address.Url} has no such image: {e.Message}");
        }
        catch (EngineUnreachableException e)
        {
            scope.Dispose();
            throw new CommandException($"{name} is no file, and no daemon can be asked for an image of the name: {e.Message}");
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    }

    internal async Task LoadAsync(IEnumerable<string> hosts, Source source, CancellationToken stop)
    {
        var said = await Task.WhenAll(hosts.Select(async host => (host, await LoadAsync(host, source, stop))));
        foreach (var (host, text) in said)
        {
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                await shell.Out.WriteLineAsync($"{host}: {line}");
        }

        await shell.Out.FlushAsync(stop);
    }

    private async Task<string> LoadAsync(string host, Source source, CancellationToken stop)
    {
        using var client = new EngineClient(new EngineAddress(place.Socket(host), "lab"));
        await using var archive = await source(stop);
        using var body = new StreamContent(archive) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-tar") } };
        using var response = await client.OpenAsync(HttpMethod.Post, EngineClient.Query("/images/load", ("quiet", "1")), body, stop);
        using var text = new StringWriter();
        await ProgressStream.WriteAsync(response, text, stop);
        return text.ToString();
    }

    private sealed class Scope(string? file) : IDisposable
    {
        public void Dispose()
        {
            if (file is not null)
                File.Delete(file);
        }
    }
}
