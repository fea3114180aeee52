using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Values;

/// <summary>The words of <c>security_opt</c> and <c>--security-opt</c> as a service has them.</summary>
internal static class SecurityOptions
{
    /// <param name="old">What is added to.</param>
    /// <param name="option"><c>NAME:VALUE</c> or <c>NAME=VALUE</c>.</param>
    /// <param name="read">Text of a file by its path as written; null when there is none.</param>
    internal static Parsed<Privileges> Add(Privileges old, string option, Func<string, string?> read)
    {
        var at = option.IndexOfAny([':', '=']);
        var name = at < 0 ? option : option[..at];
        var value = at < 0 ? "" : option[(at + 1)..];
        return (name, value) switch
        {
            ("no-new-privileges", "" or "true") => old with { NoNewPrivileges = true },
            ("no-new-privileges", "false") => old with { NoNewPrivileges = false },
            ("seccomp", "unconfined") => old with { Seccomp = new SeccompOptions { Mode = "unconfined" } },
            ("seccomp", "default" or "builtin") => old with { Seccomp = null },
            ("seccomp", { Length: > 0 }) => read(value) is { } profile
                ? old with { Seccomp = new SeccompOptions { Mode = "custom", Profile = Encoding.UTF8.GetBytes(profile) } }
                : Parsed<Privileges>.Not($"there is no seccomp profile {value}"),
            ("apparmor", "unconfined") => old with { AppArmor = new AppArmorOptions { Mode = "disabled" } },
            ("apparmor", _) => Parsed<Privileges>.Not($"AppArmor profile '{value}' cannot be applied: orch loads none; 'apparmor:unconfined' says so"),
            ("label", "disable") => old with { SeLinuxContext = new SeLinuxContext { Disable = true } },
            ("label", _) => Parsed<Privileges>.Not($"SELinux label '{value}' cannot be applied: orch sets none; 'label:disable' says so"),
            ("systempaths" or "writable-cgroups", _) => Parsed<Privileges>.Not($"'{option}' does not work in a service: its containers always hide the kernel's files"),
            _ => Parsed<Privileges>.Not($"'{option}' is unknown: known are no-new-privileges, seccomp:default, seccomp:unconfined, seccomp:FILE, apparmor:unconfined, label:disable"),
        };
    }
}
