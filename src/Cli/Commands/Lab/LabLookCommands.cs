using System.CommandLine;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary><c>orch lab ls|env|logs|load</c>.</summary>
internal static class LabLookCommands
{
    internal static Command List(Shell shell)
    {
        var flags = new LabFlags();
        var format = Flags.Format();
        var quiet = Flags.Quiet("Only display the hosts' names");
        return new Command("ls", "List a lab's hosts").Also("list", "ps").Does(shell, flags.With(format, quiet), async (call, stop) =>
        {
            var (place, state) = flags.Read(call);
            var nodes = call.Get(quiet) ? null : await LabJoining.NodesAsync(place, state, shell.Time, stop);
            var rows = state.Hosts.Select(h => LabRow.Of(h, state.Cuts, nodes?.GetValueOrDefault(h.Name))).ToList();
            if (call.Get(quiet))
                await shell.Out.WriteAsync(string.Concat(rows.Select(r => r.Host + "\n")));
            else
                await shell.Out.WriteAsync(LabRow.Listing.Render(rows, call.Get(format)));
            return 0;
        });
    }

    internal static Command Env(Shell shell)
    {
        var flags = new LabFlags();
        var host = Flags.One("HOST");
        return new Command("env", "Print what makes orch and docker talk to a host: eval \"$(orch lab env host1)\"").Does(shell, flags.With(host), async (call, _) =>
        {
            var (place, state) = flags.Read(call);
            var socket = place.Socket(state.Host(call.Get(host)).Name);
            await shell.Out.WriteAsync($"export ORCH_HOST=unix://{socket}\nexport DOCKER_HOST=unix://{socket}\n");
            return 0;
        });
    }

    internal static Command Logs(Shell shell)
    {
        var flags = new LabFlags();
        var host = Flags.One("HOST");
        var tail = Flags.Whole("--tail", "Number of lines from the end (default all)", "int", "-n");
        var follow = Flags.Switch("--follow", "Go on while the daemon writes", "-f");
        return new Command("logs", "Print what a host's daemon says").Does(shell, flags.With(tail, follow, host), async (call, stop) =>
        {
            var (place, state) = flags.Read(call);
            var path = place.Log(state.Host(call.Get(host)).Name);
            if (!File.Exists(path))
                throw new CommandException($"{path} is not there: the daemon has never been started");
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            var lines = new List<string>();
            while (await reader.ReadLineAsync(stop) is { } line)
                lines.Add(line);
            foreach (var line in call.Get(tail) is { } count ? lines.TakeLast(Math.Max(count, 0)) : lines)
                await shell.Out.WriteLineAsync(line);
            await shell.Out.FlushAsync(stop);
            while (call.Get(follow))
            {
                while (await reader.ReadLineAsync(stop) is { } line)
                    await shell.Out.WriteLineAsync(line);
                await shell.Out.FlushAsync(stop);
                await Task.Delay(TimeSpan.FromMilliseconds(200), shell.Time, stop);
            }

            return 0;
        });
    }

    internal static Command Load(Shell shell)
    {
        var flags = new LabFlags();
        var images = new Argument<string[]>("FILE|IMAGE") { Arity = ArgumentArity.OneOrMore };
        var into = Flags.List("--host", "Only into this host; may be given more than once (default: all that run)", "HOST");
        var from = Flags.Text("--from", "Take images by name from this host, as after a build there, instead of the machine's daemon", "HOST");
        return new Command("load", "Bring images into hosts, from archives or by name").Does(shell, flags.With(into, from, images), async (call, stop) =>
        {
            var (place, state) = flags.Read(call);
            var giver = call.Get(from) is { } given ? state.Host(given).Name : null;
            var hosts = call.Get(into) is { Length: > 0 } some
                ? some.Select(h => state.Host(h).Name).ToList()
                : state.Hosts.Where(h => h.Daemon?.IsAlive == true && h.Name != giver).Select(h => h.Name).ToList();
            using var own = giver is null ? null : new Client.EngineClient(new Client.EngineAddress(place.Socket(giver), "lab"));
            foreach (var image in call.Get(images))
            {
                var (source, scope) = await LabImages.FindAsync(image, shell, own ?? call.Client, stop);
                using (scope)
                    await new LabImages(place, shell).LoadAsync(hosts, source, stop);
            }

            return 0;
        });
    }
}
