using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What <c>SecurityOpt</c>, <c>Privileged</c> and the hidden paths ask for.</summary>
/// <param name="NoNewPrivileges">Set-uid programs and file capabilities give nothing.</param>
/// <param name="Seccomp">System calls are filtered.</param>
/// <param name="Profile">By this profile; null: Docker's default.</param>
/// <param name="MaskedPaths">What is hidden.</param>
/// <param name="ReadonlyPaths">What cannot be written.</param>
internal sealed record SecurityPlan(
    bool NoNewPrivileges, bool Seccomp, SeccompProfile? Profile, ImmutableArray<string> MaskedPaths, ImmutableArray<string> ReadonlyPaths)
{
    private const string Where = "HostConfig.SecurityOpt";
    private const string NoNew = "no-new-privileges";

    internal static SecurityPlan Of(HostConfig host, List<Problem> problems)
    {
        var plan = new SecurityPlan(
            ForbidsPrivileges(host), Seccomp: !host.Privileged, Profile: null,
            host.MaskedPaths is { } masked ? [.. masked] : host.Privileged ? [] : SpecDefaults.MaskedPaths,
            host.ReadonlyPaths is { } closed ? [.. closed] : host.Privileged ? [] : SpecDefaults.ReadonlyPaths);
        foreach (var (field, paths) in new[] { ("MaskedPaths", plan.MaskedPaths), ("ReadonlyPaths", plan.ReadonlyPaths) })
        {
            foreach (var path in paths.Where(p => !p.StartsWith('/') || p.Split('/').Any(part => part is "." or "..")))
                problems.Add(new Problem("HostConfig." + field, $"'{path}' is not an absolute path"));
        }

        foreach (var option in host.SecurityOpt)
        {
            var at = option.IndexOfAny(['=', ':']);
            var name = at < 0 ? option : option[..at];
            var value = at < 0 ? "" : option[(at + 1)..];
            switch (name, value)
            {
                case (NoNew, "" or "true" or "false"):
                    break; // said by ForbidsPrivileges
                case ("seccomp", "unconfined"):
                    plan = plan with { Seccomp = false, Profile = null };
                    break;
                case ("seccomp", "builtin" or "default"):
                    plan = plan with { Seccomp = true, Profile = null };
                    break;
                case ("seccomp", _):
                    plan = plan with { Seccomp = true, Profile = Read(value, problems) };
                    break;
                case ("systempaths", "unconfined"):
                    plan = plan with { MaskedPaths = [], ReadonlyPaths = [] };
                    break;
                case ("apparmor", "unconfined") or ("label", "disable"):
                    break; // what holds anyway
                case ("apparmor", _):
                    problems.Add(new Problem(Where, $"AppArmor profile '{value}' cannot be applied: this engine loads none; 'unconfined' says so"));
                    break;
                case ("label", _):
                    problems.Add(new Problem(Where, $"SELinux label '{value}' cannot be applied: this engine sets none; 'disable' says so"));
                    break;
                case ("writable-cgroups", _):
                    problems.Add(new Problem(Where, "writable-cgroups does not work: a container's groups hold its limits; --privileged opens them"));
                    break;
                default:
                    problems.Add(new Problem(Where, $"invalid --security-opt: \"{option}\""));
                    break;
            }
        }

        return plan;
    }

    /// <summary>The last option that speaks of it decides. By itself, since an exec asks for this alone and a profile is long to read.</summary>
    internal static bool ForbidsPrivileges(HostConfig host) =>
        host.SecurityOpt.LastOrDefault(option => option.Split('=', ':')[0] == NoNew) is NoNew or NoNew + "=true" or NoNew + ":true" or NoNew + "=" or NoNew + ":";

    /// <summary>The filter for a container with these capabilities; null: none.</summary>
    internal OciSeccomp? FilterFor(ImmutableArray<string> capabilities, HostFacts facts) =>
        !Seccomp ? null
        : Profile is { } own ? own.For(capabilities.ToHashSet(StringComparer.Ordinal), facts.Kernel)
        : facts.DefaultSeccomp(capabilities);

    /// <summary>The client sends the file's text. It is compiled on trial, so that what cannot work is said at creation.</summary>
    private static SeccompProfile? Read(string json, List<Problem> problems)
    {
        try
        {
            var profile = SeccompProfile.Parse(Encoding.UTF8.GetBytes(json));
            SeccompFilter.Compile(profile.For(CapabilityNames.All.ToHashSet(StringComparer.Ordinal), new Version(99, 0)));
            SeccompFilter.Compile(profile.For(new HashSet<string>(), new Version(0, 0)));
            return profile;
        }
        catch (JsonException e)
        {
            problems.Add(new Problem(Where, $"decoding seccomp profile failed: {e.Message}"));
        }
        catch (RuntimeException e)
        {
            problems.Add(new Problem(Where, $"the seccomp profile cannot be applied: {e.Message}"));
        }

        return null;
    }
}
