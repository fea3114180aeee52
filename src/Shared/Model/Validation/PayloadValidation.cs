namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges secrets and configs, and what services say of them, by themselves: swarmkit's rules, every problem at once.</summary>
public static class PayloadValidation
{
    private const int MostSecretBytes = 500 * 1024;
    private const int MostConfigBytes = 1000 * 1024;

    public static IReadOnlyList<Problem> Check(PayloadSpec spec) => Check(spec, dataNeeded: true);

    /// <param name="spec">The secret or config.</param>
    /// <param name="dataNeeded">False in a stack: a secret without data says that it exists already.</param>
    public static IReadOnlyList<Problem> Check(PayloadSpec spec, bool dataNeeded)
    {
        var found = new Findings();
        var (noun, most) = spec is SecretSpec ? ("secret", MostSecretBytes) : ("config", MostConfigBytes);
        if (spec.Name.Length == 0)
            found.Add("Name", "name must be provided");
        else if (!IsName(spec.Name))
            found.Add("Name", $"invalid name '{spec.Name}', only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]");
        if (spec is SecretSpec { Driver: { } driver })
            found.Add("Driver", $"secret driver '{driver.Name}' is not supported: orch keeps a secret's data itself, so give Data and no driver");
        else if (spec.Data is { } data)
            found.When(data.Length is 0 || data.Length >= most, "Data", $"{noun} data must be larger than 0 and less than {most} bytes");
        else
            found.When(dataNeeded, "Data", $"{noun} data must be larger than 0 and less than {most} bytes");
        if (spec.Templating is { Name: not "" } templating)
        {
            found.When(templating.Name != "golang", "Templating.Name", $"template driver '{templating.Name}' is unknown: golang is the one there is");
            found.When(templating.Options.Count > 0, "Templating.Options", "the template driver golang has no options");
        }

        return found.Problems;
    }

    private static bool IsName(string name) =>
        name.Length <= 64 && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    internal static void References(Findings found, ContainerSpec spec, string root)
    {
        Check(found, "secret", root + ".Secrets", [.. spec.Secrets.Select(s => (s.SecretId, s.SecretName, s.File))], SecretPath);
        Check(found, "config", root + ".Configs", [.. spec.Configs.Select(c => (c.ConfigId, c.ConfigName, c.File))], ConfigPath);
        var files = spec.Secrets.Where(s => s.File is not null).Select(s => SecretPath(s.File!.Name))
            .Intersect(spec.Configs.Where(c => c.File is not null).Select(c => ConfigPath(c.File!.Name)), StringComparer.Ordinal);
        foreach (var path in files)
            found.Add(root + ".Configs", $"a secret and a config have a conflicting target: '{path}'");
    }

    /// <summary>Where a container sees a secret of this target: relative ones below <c>/run/secrets</c>.</summary>
    public static string SecretPath(string target) => target.StartsWith('/') ? target : "/run/secrets/" + target;

    /// <summary>Where a container sees a config of this target: relative ones below <c>/</c>.</summary>
    public static string ConfigPath(string target) => target.StartsWith('/') ? target : "/" + target;

    private static void Check(
        Findings found, string noun, string where, IReadOnlyList<(string Id, string Name, ReferenceFile? File)> references, Func<string, string> pathOf)
    {
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (id, name, file) in references)
        {
            found.When(id.Length == 0 && name.Length == 0, where, $"malformed {noun} reference: it needs the {noun}'s name or id");
            if (file is null || file.Name.Length == 0)
            {
                found.Add(where, $"malformed file {noun} reference, no target: {(name.Length > 0 ? name : id)}");
                continue;
            }

            var path = pathOf(file.Name);
            found.When(
                path.Split('/').Any(p => p is ".." or ".") || path.EndsWith('/') || path == "/", where, $"{noun} target '{file.Name}' is not the path of a file in a container");
            if (!taken.TryAdd(path, name))
                found.Add(where, $"{noun} references '{taken[path]}' and '{name}' have a conflicting target: '{file.Name}'");
            foreach (var (field, text) in new[] { ("UID", file.Uid), ("GID", file.Gid) })
                found.When(!uint.TryParse(text, out _), where, $"{noun} {name}: {field} '{text}' is not a number");
            found.When(file.Mode > 0b111_111_111_111, where, $"{noun} {name}: mode {Convert.ToString(file.Mode, 8)} has more than permission bits");
        }
    }
}
