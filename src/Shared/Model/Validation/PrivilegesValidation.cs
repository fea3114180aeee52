using System.Text.Json;

namespace Orchestrator.Shared.Model.Validation;

/// <summary>What a service may ask of the kernel's guards. Whether a seccomp profile can be compiled is known where it runs.</summary>
internal static class PrivilegesValidation
{
    internal static void Check(Findings found, Privileges privileges, string where)
    {
        found.When(privileges.CredentialSpec is not null, where + ".CredentialSpec", "credential specs are for Windows");
        found.When(
            privileges.SeLinuxContext is { Disable: false } context && new[] { context.User, context.Role, context.Type, context.Level }.Any(l => !string.IsNullOrEmpty(l)),
            where + ".SELinuxContext", "SELinux labels cannot be applied: this engine sets none");
        found.When(
            privileges.AppArmor is { Mode: not (null or "" or "default" or "disabled") }, where + ".AppArmor",
            $"AppArmor mode '{privileges.AppArmor?.Mode}' is unknown: use default or disabled");
        found.When(
            privileges.UserNamespace is not (null or "" or "default" or "host" or "remap"), where + ".UserNamespace",
            $"user namespace '{privileges.UserNamespace}' is unknown: use default, host or remap");
        if (privileges.Seccomp is not { } seccomp)
            return;
        switch (seccomp.Mode)
        {
            case null or "" or "default" or "unconfined":
                found.When(seccomp.Profile is { Length: > 0 }, where + ".Seccomp", $"a seccomp profile needs the mode custom, not '{seccomp.Mode}'");
                break;
            case "custom":
                if (seccomp.Profile is not { Length: > 0 } profile)
                    found.Add(where + ".Seccomp", "custom seccomp profile must be provided when using custom mode");
                else
                    found.When(!IsObject(profile), where + ".Seccomp", "the seccomp profile is not a JSON object");
                break;
            default:
                found.Add(where + ".Seccomp", $"invalid seccomp mode: {seccomp.Mode}");
                break;
        }
    }

    private static bool IsObject(byte[] json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            return JsonDocument.TryParseValue(ref reader, out var document) && document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
