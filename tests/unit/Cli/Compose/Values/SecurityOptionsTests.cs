using System.Text;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Compose.Values;

public sealed class SecurityOptionsTests
{
    [Theory]
    [InlineData("no-new-privileges", "True//")]
    [InlineData("no-new-privileges:true", "True//")]
    [InlineData("seccomp=unconfined", "False/unconfined/")]
    [InlineData("seccomp:profile.json", "False/custom/{}")]
    [InlineData("apparmor:unconfined", "False//")]
    public void Known_options_are_read_in_both_spellings(string option, string read)
    {
        var parsed = SecurityOptions.Add(new Privileges(), option, path => path == "profile.json" ? "{}" : null);
        Assert.Null(parsed.Error);
        Assert.Equal(read, $"{parsed.Value.NoNewPrivileges}/{parsed.Value.Seccomp?.Mode}/{Encoding.UTF8.GetString(parsed.Value.Seccomp?.Profile ?? [])}");
    }

    [Theory]
    [InlineData("seccomp:missing.json", "there is no seccomp profile missing.json")]
    [InlineData("apparmor:mine", "cannot be applied")]
    [InlineData("label:level:s0", "cannot be applied")]
    [InlineData("systempaths=unconfined", "does not work in a service")]
    [InlineData("colour", "is unknown")]
    public void Others_are_refused_with_their_reason(string option, string reason) =>
        Assert.Contains(reason, SecurityOptions.Add(new Privileges(), option, _ => null).Error, StringComparison.Ordinal);
}
