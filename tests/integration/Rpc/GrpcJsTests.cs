using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Integration.Rpc;

/// <summary>The npm client @grpc/grpc-js, which shares no code with ours, as the judge of the protocol.</summary>
public sealed class GrpcJsTests
{
    private static readonly TimeSpan Generous = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task The_stock_client_gets_messages_streams_deadlines_and_statuses_as_it_expects()
    {
        if (await RunAsync(".", "npm", "--version") is not (0, _) || await RunAsync(".", "node", "--version") is not (0, _))
            Assert.Skip("node and npm are not on this machine");
        var directory = Directory.CreateTempSubdirectory("orch-grpcjs-").FullName;
        try
        {
            var (installed, why) = await RunAsync(directory, "npm", "install", "--no-audit", "--no-fund", "--prefix", directory, "@grpc/grpc-js");
            if (installed != 0)
                Assert.Skip($"npm cannot install @grpc/grpc-js: {why}");
            File.Copy(Path.Combine(Folder(), "Interop", "client.js"), Path.Combine(directory, "client.js"));
            await using var host = await RpcHost.StartAsync(EchoService.Server());
            var (code, output) = await RunAsync(directory, "node", "client.js", $"{host.Address}");
            Assert.True(code == 0, output);
            var cases = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToDictionary(n => (string)n["name"]!);

            Assert.Equal(("Grüße", 42, "eve"), ((string)cases["unary"]["text"]!, (int)cases["unary"]["count"]!, (string)cases["unary"]["seen"]!));
            Assert.Equal((5, "kein Dienst «web» — 100%", "0001ff"), ((int)cases["refuse"]["code"]!, (string)cases["refuse"]["details"]!, (string)cases["refuse"]["bin"]!));
            Assert.Equal(4, (int)cases["deadline"]["code"]!);
            Assert.Equal((7 << 20, 2), ((int)cases["big"]["text"]!, (int)cases["big"]["count"]!));
            Assert.Equal(8, (int)cases["tooBig"]["code"]!);
            Assert.Equal(12, (int)cases["unknown"]["code"]!);
            Assert.Equal(Enumerable.Range(1, 300), Counts(cases["stream"]));
            Assert.Equal([1, 2, 3], Counts(cases["streamError"]));
            Assert.Equal((10, "after all of them"), ((int)cases["streamError"]["code"]!, (string)cases["streamError"]["details"]!));
            Assert.Equal(5050, (int)cases["sum"]["count"]!);
            Assert.Equal([2, 4, 8, 16], Counts(cases["talk"]));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static IEnumerable<int> Counts(JsonNode node) => node["counts"]!.AsArray().Select(n => (int)n!);

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    private static async Task<(int Code, string Output)> RunAsync(string directory, string program, params string[] arguments)
    {
        using var giveUp = new CancellationTokenSource(Generous);
        using var process = new Process
        {
            StartInfo = new(program, arguments) { UseShellExecute = false, WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception missing)
        {
            return (127, missing.Message);
        }

        try
        {
            var output = process.StandardOutput.ReadToEndAsync(giveUp.Token);
            var errors = process.StandardError.ReadToEndAsync(giveUp.Token);
            await process.WaitForExitAsync(giveUp.Token);
            return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
