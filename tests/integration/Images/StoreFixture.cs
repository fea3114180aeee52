using System.Collections.Concurrent;
using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Tests.Integration.Images;

/// <summary>A store in a folder of its own, with what it said.</summary>
internal sealed class StoreFixture : IDisposable, IProgress<ProgressMessage>
{
    private readonly ScratchFolder _folder = new();

    private StoreFixture() => Store = New();

    public ImageStore Store { get; private set; }
    public string Root => _folder.Path;
    public ConcurrentQueue<ProgressMessage> Said { get; } = new();
    public ConcurrentQueue<ImageEvent> Events { get; } = new();
    public string Text => string.Concat(Said.Select(m => m.Stream));

    internal static async Task<StoreFixture> StartAsync()
    {
        if (Environment.UserName != "root")
            Assert.Skip("unpacking layers needs root");
        var fixture = new StoreFixture();
        Assert.Empty(await fixture.Store.StartAsync(default));
        return fixture;
    }

    /// <summary>What a restart of the daemon does.</summary>
    internal async Task<IReadOnlyList<string>> RestartAsync()
    {
        Store.Dispose();
        Store = New();
        return await Store.StartAsync(default);
    }

    internal async Task<string> LoadAsync(byte[] archive) => (await Store.LoadAsync(new MemoryStream(archive), this, default))[0];

    internal Task<string> BuildAsync(string dockerfile, IBuildRunner runner, BuildRequest? request = null, params (TarEntry, byte[])[] files)
    {
        Said.Clear();
        var context = TestImages.Tar([TestImages.TextFile("Dockerfile", dockerfile), .. files]);
        return Store.BuildAsync((request ?? new() { Context = Stream.Null }) with { Context = new MemoryStream(context) }, runner, this, default);
    }

    /// <summary>Runs a shell command in a new mount namespace where <c>$M</c> is the image's overlay; answers what it printed.</summary>
    internal async Task<string> InOverlayAsync(string image, string command)
    {
        var record = await Store.InspectAsync(image, default);
        var stack = await Store.AcquireLayersAsync(record.Id, "overlay-test", default);
        try
        {
            var merged = Directory.CreateDirectory(_folder.At("merged")).FullName;
            var empty = Directory.CreateDirectory(_folder.At("empty")).FullName;
            return Shell($"set -e; mount -t overlay overlay -o 'lowerdir={string.Join(':', stack.LowerDirs)}:{empty}' {merged}; M={merged}; {command}", "unshare", "-m", "--propagation", "private");
        }
        finally
        {
            await Store.ReleaseAsync("overlay-test", default);
        }
    }

    internal static string Shell(string script, params string[] prefix)
    {
        string[] words = [.. prefix, "/bin/sh", "-c", script];
        var start = new ProcessStartInfo(words[0], words[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{script}\n{output}{errors.Result}");
        return output;
    }

    /// <summary>Files below a folder of the store, relative.</summary>
    internal string[] Files(string below) => Directory.Exists(Path.Combine(Root, below))
        ? [.. Directory.EnumerateFileSystemEntries(Path.Combine(Root, below)).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)]
        : [];

    public void Report(ProgressMessage value) => Said.Enqueue(value);

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }

    private ImageStore New() => new(new() { DataRoot = _folder.Path, OnEvent = Events.Enqueue });
}
