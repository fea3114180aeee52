using System.Net;
using Orchestrator.Worker.Containers.Plan;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class HostsFileTests
{
    [Theory]
    [InlineData("web", null, "10.0.0.2\tweb")]
    [InlineData("web", "example.org", "10.0.0.2\tweb.example.org web")]
    [InlineData("web.example.org", null, "10.0.0.2\tweb.example.org web")]
    public void A_name_of_several_labels_is_followed_by_its_first(string hostname, string? domainname, string line) =>
        Assert.Equal(line, HostsFile.Of(hostname, domainname, [IPAddress.Parse("10.0.0.2")], null, []).TrimEnd('\n').Split('\n')[^1]);
}
