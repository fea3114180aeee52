using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

internal sealed partial class ServiceReading
{
    /// <summary><c>security_opt</c> and <c>userns_mode</c>; null when the file says nothing of either.</summary>
    private Privileges? Security(MapReader body)
    {
        var options = body.ScalarOrScalars("security_opt");
        var users = body.OneOf("userns_mode", "default", "host", "remap");
        var privileges = new Privileges { UserNamespace = users };
        foreach (var option in options)
        {
            var parsed = SecurityOptions.Add(privileges, option.Text, path => context.Inputs.ReadFile(context.Absolute(path)));
            if (parsed.Error is null)
                privileges = parsed.Value;
            else
                _problems.Add(option.At, $"{body.Subject}.security_opt: {parsed.Error}");
        }
        return options.Count == 0 && users is null ? null : privileges;
    }
}
