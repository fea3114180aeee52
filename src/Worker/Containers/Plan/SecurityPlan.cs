using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What <c>SecurityOpt</c> asks for.</summary>
internal sealed record SecurityPlan(bool NoNewPrivileges, bool Seccomp)
{
    internal static SecurityPlan Of(HostConfig host, List<Problem> problems)
    {
        var plan = new SecurityPlan(NoNewPrivileges: false, Seccomp: true);
        foreach (var option in host.SecurityOpt)
        {
            var at = option.IndexOfAny(['=', ':']);
            var name = at < 0 ? option : option[..at];
            var value = at < 0 ? "" : option[(at + 1)..];
            switch (name, value)
            {
                case ("no-new-privileges", "" or "true"):
                    plan = plan with { NoNewPrivileges = true };
                    break;
                case ("no-new-privileges", "false"):
                    plan = plan with { NoNewPrivileges = false };
                    break;
                case ("seccomp", "unconfined"):
                    plan = plan with { Seccomp = false };
                    break;
                case ("seccomp", "builtin" or "default"):
                    plan = plan with { Seccomp = true };
                    break;
                case ("seccomp", _):
                    problems.Add(new Problem("HostConfig.SecurityOpt", "a seccomp profile of one's own does not work yet: 'default' and 'unconfined' do"));
                    break;
                case ("apparmor", "unconfined") or ("label", "disable"):
                    break; // what holds anyway
                default:
                    problems.Add(new Problem("HostConfig.SecurityOpt", $"invalid --security-opt: \"{option}\""));
                    break;
            }
        }

        return plan;
    }
}
