using System.CommandLine;
using Orchestrator.Cli.Commands.Demo;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary><c>orch lab up</c> and <c>orch lab down</c>.</summary>
internal static class LabUpCommand
{
    internal static Command Up(Shell shell)
    {
        var flags = new LabFlags();
        var hosts = new Argument<int>("HOSTS") { Description = "How many hosts" };
        var managers = Flags.Whole("--managers", "How many of them are managers (default 1, and 3 from three hosts on)");
        var subnet = Flags.Text("--subnet", $"The hosts' network (default {LabUpPlan.DefaultSubnet}); every lab's is its own", "CIDR");
        var load = Flags.List("--load", "Images for every host: archives, or names of images of the machine's daemon", "FILE|IMAGE");
        var bare = Flags.Switch("--bare", "Without the image busybox:latest, which is made of the machine's busybox otherwise");
        var apart = Flags.Switch("--apart", "Only the hosts, in no cluster: 'swarm init' and 'swarm join' are left to you");
        var arguments = Flags.List("--daemon-arg", "A further argument for every host's daemon, as in --daemon-arg=--debug", "ARG");
        return new Command("up", "Raise hosts on this machine and make one cluster of them").Does(
            shell, flags.With(hosts, managers, subnet, load, bare, apart, arguments), async (call, stop) =>
        {
            var place = flags.Place(call);
            if (call.Get(apart) && call.Has(managers))
                throw new CommandException("--managers says who joins how, and with --apart nobody joins: give one of them");
            var plan = LabUpPlan.Make(place, call.Get(hosts), call.Get(managers), call.Get(subnet), call.Get(arguments) ?? [], LabBook.Boot());
            using var book = await LabBook.OpenAsync(place, shell.Time, stop);
            if (book.Current is { } have)
            {
                throw new CommandException(have.Complete
                    ? $"lab '{place.Name}' is up already, with {have.Hosts.Length} hosts: 'orch lab ls' shows them, 'orch lab down' takes them away"
                    : $"lab '{place.Name}' is half made: take it away first with 'orch lab down --name {place.Name}'");
            }

            var rig = new LabRig(book, place, shell);
            try
            {
                book.Write(plan);
                await RaiseAsync(call, book, rig, place, new Wishes(call.Get(load) ?? [], Busybox: !call.Get(bare), Cluster: !call.Get(apart)), stop);
            }
            catch (Exception failed)
            {
                await SayAsync(shell, failed is OperationCanceledException ? "\nInterrupted: taking away what is half made" : "Failed: taking away what was made");
                var left = await rig.TakeDownAsync(CancellationToken.None);
                foreach (var what in left)
                    await shell.Error.WriteLineAsync($"could not be removed: {what}");
                throw;
            }

            await SayAsync(shell, Next(place));
            return 0;
        });
    }

    internal static Command Down(Shell shell)
    {
        var flags = new LabFlags();
        return new Command("down", "Take a lab away: processes, namespaces, networks, cgroups, files").Does(shell, flags.With(), async (call, stop) =>
        {
            var place = flags.Place(call);
            var groups = new LabGroups(place.Cgroup, shell.Time);
            if (!Directory.Exists(place.Folder) && !groups.Exist)
            {
                await shell.Out.WriteLineAsync($"No lab '{place.Name}' is up.");
                return 0;
            }

            using var book = await LabBook.OpenUnreadAsync(place, shell.Time, stop);
            var left = await new LabRig(book, place, shell).TakeDownAsync(stop);
            foreach (var what in left)
                await shell.Error.WriteLineAsync($"could not be removed: {what}");
            if (left.Count > 0)
                return 1;
            await shell.Out.WriteLineAsync($"Lab '{place.Name}' is gone.");
            return 0;
        });
    }

    private static async Task RaiseAsync(Invocation call, LabBook book, LabRig rig, LabPlace place, Wishes wishes, CancellationToken stop)
    {
        var shell = call.Shell;
        var state = book.Current!;
        await SayAsync(shell, $"Raising lab '{place.Name}': {state.Hosts.Length} {(state.Hosts.Length == 1 ? "host" : "hosts")} on {state.Subnet}, in {place.Folder}");
        await rig.EnsureSwitchAsync(stop);
        await AllAsync(state.Hosts.Select(async host =>
        {
            await rig.PowerOnAsync(host.Name, stop);
            await SayAsync(shell, $"{host.Name} is up: {host.Address}");
        }));
        var names = state.Hosts.Select(h => h.Name).ToList();
        var images = new LabImages(place, shell);
        if (wishes.Busybox && File.Exists("/bin/busybox"))
        {
            var archive = await BaseImage.ArchiveAsync(stop);
            await images.LoadAsync(names, _ => Task.FromResult<Stream>(new MemoryStream(archive, writable: false)), stop);
        }

        foreach (var image in wishes.Load)
        {
            var (source, scope) = await LabImages.FindAsync(image, shell, call.Client, stop);
            using (scope)
                await images.LoadAsync(names, source, stop);
        }

        if (wishes.Cluster)
            await new LabJoining(place, book.Current!, shell).FormAsync(stop);
        book.Change(s => s with { Complete = true });
    }

    /// <summary>The first failure counts, but only once the others have come to their end: nothing may be made behind a take-down.</summary>
    private static async Task AllAsync(IEnumerable<Task> tasks) => await Task.WhenAll(tasks.ToList());

    private static async Task SayAsync(Shell shell, string text)
    {
        await shell.Out.WriteLineAsync(text);
        await shell.Out.FlushAsync(CancellationToken.None);
    }

    private static string Next(LabPlace place)
    {
        var flags = (place.Name == LabPlace.DefaultName ? "" : $" --name {place.Name}") + (place.Root == LabPlace.DefaultRoot ? "" : $" --root {place.Root}");
        return $"""

            Ready.

              orch lab exec{flags} host1 -- orch node ls
              eval "$(orch lab env{flags} host1)"            then orch and docker talk to host1
              orch lab cut{flags} host1                      nobody reaches it; orch lab heal{flags}
              orch lab stop{flags} host1                     without power;     orch lab start{flags} host1

            Take it away with: orch lab down{flags}
            """;
    }

    private sealed record Wishes(IReadOnlyList<string> Load, bool Busybox, bool Cluster);
}
