using System.CommandLine;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>Which lab a command means.</summary>
internal sealed class LabFlags
{
    private readonly Option<string?> _name = Flags.Text("--name", $"The lab (default {LabPlace.DefaultName})", "LAB");
    private readonly Option<string?> _root = Flags.Text("--root", $"Where labs lie, each in a folder of its name (default {LabPlace.DefaultRoot})", "path");

    internal IEnumerable<Symbol> With(params Symbol[] more) => [_name, _root, .. more];

    internal LabPlace Place(Invocation call)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new CommandException("a lab is made of namespaces, mounts and networks: run this as root");
        return new LabPlace(Path.TrimEndingDirectorySeparator(call.Get(_root) ?? LabPlace.DefaultRoot), call.Get(_name) ?? LabPlace.DefaultName);
    }

    /// <summary>The lab, read without waiting for whoever is changing it.</summary>
    internal (LabPlace Place, LabState State) Read(Invocation call)
    {
        var place = Place(call);
        return (place, LabBook.Read(place) ?? throw None(place));
    }

    /// <summary>Does something with the lab while nobody else does.</summary>
    internal async Task<int> ChangeAsync(Invocation call, Func<LabBook, LabRig, LabPlace, Task> act, CancellationToken stop)
    {
        var place = Place(call);
        if (!Directory.Exists(place.Folder))
            throw None(place);
        using var book = await LabBook.OpenAsync(place, call.Shell.Time, stop);
        if (book.Current is null)
            throw None(place);
        await act(book, new LabRig(book, place, call.Shell), place);
        return 0;
    }

    internal static CommandException None(LabPlace place)
    {
        var others = Directory.Exists(place.Root) ? Directory.EnumerateDirectories(place.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList() : [];
        return new CommandException(others.Count == 0
            ? $"no lab '{place.Name}' is up: orch lab up 3"
            : $"no lab '{place.Name}' is up below {place.Root}; there are: {string.Join(", ", others)}");
    }
}
