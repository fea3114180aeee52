using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Terminals;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>orch exec</c>: a further program in a container that runs.</summary>
internal static class ExecCommand
{
    internal static Command Create(Shell shell)
    {
        var detach = Flags.Switch("--detach", "Detached mode: run command in the background", "-d");
        var keys = Flags.Text("--detach-keys", "Override the key sequence for detaching a container");
        var env = Flags.List("--env", "Set environment variables", "list", "-e");
        var envFile = Flags.List("--env-file", "Read in a file of environment variables", "list");
        var interactive = Flags.Switch("--interactive", "Keep STDIN open even if not attached", "-i");
        var privileged = Flags.Switch("--privileged", "Give extended privileges to the command");
        var tty = Flags.Switch("--tty", "Allocate a pseudo-TTY", "-t");
        var user = Flags.Text("--user", "Username or UID (format: \"<name|uid>[:<group|gid>]\")", "string", "-u");
        var workdir = Flags.Text("--workdir", "Working directory inside the container", "string", "-w");
        var name = Flags.One("CONTAINER");
        var words = new Argument<string[]>("COMMAND") { Arity = ArgumentArity.OneOrMore };
        return new Command("exec", "Execute a command in a running container").Does(
            shell, [detach, keys, env, envFile, interactive, privileged, tty, user, workdir, name, words], async (call, stop) =>
        {
            var attached = !call.Get(detach);
            var detachKeys = Seating.ReadKeys(call.Get(keys));
            if (attached && call.Get(interactive))
                Seating.CheckTerminal(call.Shell, call.Get(tty));
            var request = new ExecCreateRequest
            {
                Cmd = call.Get(words),
                AttachStdin = attached && call.Get(interactive),
                AttachStdout = attached,
                AttachStderr = attached,
                Tty = call.Get(tty),
                Privileged = call.Get(privileged),
                User = call.Get(user),
                WorkingDir = call.Get(workdir),
                DetachKeys = call.Get(keys),
                Env = ServiceFlags.Variables([], [.. EnvFileFlag.Read(call, call.Get(envFile)), .. call.Get(env) ?? []], call.Shell.Environment),
                ConsoleSize = call.Get(tty) && call.Shell.IsTerminal ? WindowSize.Now : [],
            };
            var id = await call.Client.AskAsync(
                HttpMethod.Post, $"/containers/{EngineClient.Name(call.Get(name))}/exec", ExecTexts.Of(request), static text => ExecTexts.Id(text), stop);
            var start = new ExecStartRequest { Detach = call.Get(detach), Tty = request.Tty, ConsoleSize = request.ConsoleSize };
            if (start.Detach)
            {
                await StartDetachedAsync(call, id, start, stop);
                return 0;
            }

            if (await SitAsync(call, id, request, start, detachKeys, stop))
                return 0;
            var (running, code) = await call.Client.AskAsync(HttpMethod.Get, $"/exec/{id}/json", null, static text => ExecTexts.State(text), stop);
            return code ?? (running ? 0 : 1);
        });
    }

    private static async Task StartDetachedAsync(Invocation call, string id, ExecStartRequest start, CancellationToken stop)
    {
        try
        {
            await call.Client.SendAsync(HttpMethod.Post, $"/exec/{id}/start", start, stop);
        }
        catch (EngineException e) when (RunCommand.Code(e.Message) is 126 or 127)
        {
            throw new CommandException(CommandLine.Words(e), RunCommand.Code(e.Message));
        }
    }

    private static async Task<bool> SitAsync(
        Invocation call, string id, ExecCreateRequest request, ExecStartRequest start, Shared.Http.DetachKeys keys, CancellationToken stop)
    {
        await using var connection = await call.Client.TakeAsync($"/exec/{id}/start", ExecTexts.Of(start), stop);
        await using var window = request.Tty && call.Shell.IsTerminal ? new WindowSize(call.Client, $"/exec/{id}/resize") : null;
        return await new StdioSession(call.Shell, connection, request.Tty, request.AttachStdin, request.Tty ? keys : null).RunAsync(stop);
    }
}
