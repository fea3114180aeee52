using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Tests.Unit.Worker.Volumes;

public sealed class DeviceMountTests
{
    [Theory]
    [InlineData("", "none")]
    [InlineData("type=tmpfs device=tmpfs o=size=1m,mode=700,ro", "tmpfs tmpfs 1 size=1m,mode=700")]
    [InlineData("type=none device=/srv o=bind", " /srv 1000 ")]
    [InlineData("type=none device=/srv o=rbind,ro", " /srv 5001 ")]
    [InlineData("type=ext4 device=/dev/sdb1 o=rw,noatime", "ext4 /dev/sdb1 400 ")]
    [InlineData("type=ext4 device=/dev/sdb1", "ext4 /dev/sdb1 0 ")]
    public void Options_are_one_mount(string options, string mount)
    {
        var plan = DeviceMountPlan.Of(Read(options));
        Assert.Equal(mount, plan is null ? "none" : $"{plan.Type} {plan.Source} {plan.Flags:x} {plan.Data}");
    }

    [Fact]
    public void The_name_of_a_file_server_is_replaced_by_its_address()
    {
        var plan = DeviceMountPlan.Of(Read("type=nfs device=:/export o=addr=nas.local,vers=4"))!;
        Assert.Equal("nas.local", plan.ServerName);
        Assert.Equal("addr=10.0.0.5,vers=4", plan.WithServer("10.0.0.5").Data);
        Assert.Null(DeviceMountPlan.Of(Read("type=ext4 device=/dev/sdb o=addr=x"))!.ServerName);
    }

    private static Dictionary<string, string> Read(string options) =>
        options.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(o => o[..o.IndexOf('=')], o => o[(o.IndexOf('=') + 1)..]);
}
