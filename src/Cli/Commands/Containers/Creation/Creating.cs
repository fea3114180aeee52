using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>Makes a container, with its image where it has to come first.</summary>
internal static class Creating
{
    /// <summary>Answers the identifier; warnings go to stderr.</summary>
    internal static async Task<string> CreateAsync(this Invocation call, ContainerRequest request, CancellationToken stop)
    {
        // Taken before the container is made: it must not be there.
        await using var idFile = request.CidFile is { } file ? new FileStream(file, FileMode.CreateNew, FileAccess.Write) : null;
        string? id = null;
        try
        {
            if (request.Pull == "always")
                await PullAsync(call, request, stop);
            var reply = await SendAsync(call, request, stop);
            id = reply.Id;
            foreach (var warning in reply.Warnings)
                await call.Shell.Error.WriteLineAsync($"WARNING: {warning}");
            if (idFile is not null)
                await idFile.WriteAsync(System.Text.Encoding.ASCII.GetBytes(id), stop);
            return id;
        }
        finally
        {
            if (id is null && request.CidFile is { } unused)
                File.Delete(unused);
        }
    }

    private static async Task<ContainerCreateReply> SendAsync(Invocation call, ContainerRequest request, CancellationToken stop)
    {
        var path = EngineClient.Query("/containers/create", ("name", request.Name), ("platform", request.Platform));
        try
        {
            return await call.Client.SendAsync<ContainerCreateRequest, ContainerCreateReply>(HttpMethod.Post, path, request.Body, stop);
        }
        catch (EngineException e) when (e.Status == 404 && request.Pull == "missing" && e.Message.Contains("No such image", StringComparison.Ordinal))
        {
            if (!request.Quiet)
                await call.Shell.Error.WriteLineAsync($"Unable to find image '{request.Body.Image}' locally");
            await PullAsync(call, request, stop);
            return await call.Client.SendAsync<ContainerCreateRequest, ContainerCreateReply>(HttpMethod.Post, path, request.Body, stop);
        }
    }

    private static async Task PullAsync(Invocation call, ContainerRequest request, CancellationToken stop)
    {
        var image = request.Body.Image;
        var colon = image.LastIndexOf(':');
        var tagged = colon > image.LastIndexOf('/') || image.Contains('@');
        using var response = await call.Client.OpenAsync(
            HttpMethod.Post, EngineClient.Query("/images/create", ("fromImage", image), ("tag", tagged ? null : "latest"), ("platform", request.Platform)), null, stop);
        await ProgressStream.WriteAsync(response, request.Quiet ? TextWriter.Null : call.Shell.Error, stop);
    }
}
