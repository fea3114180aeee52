using System.Buffers.Binary;
using System.Collections.Immutable;
using Orchestrator.Worker.Lab;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Launch;

namespace Orchestrator.Tests.Unit.Worker.Lab;

public sealed class LabPlanTests
{
    private static readonly LabHostSpec Spec = new()
    {
        Title = "orch-lab lab host1",
        Hostname = "host1",
        Hidden = ["/run/lock", "/run", "/sys"],
        Cgroups = [new("/sys/fs/cgroup/cpu", ["cpu", "cpuacct"]), new("/sys/fs/cgroup/unified", [])],
        Binds = [("/lab/hosts", "/etc/hosts"), ("/lab/resolv.conf", "/run/resolve/stub.conf")],
        Groups = ["/sys/fs/cgroup/cpu/lab/host1"],
        SystemGroups = ["/sys/fs/cgroup/cpu/lab/host1/system", "/sys/fs/cgroup/unified/lab/host1/system"],
    };

    [Fact]
    public void A_host_sees_its_own_groups_as_the_root_and_nothing_it_mounts_gets_out()
    {
        var steps = LabHostPlan.For(Spec).Select(s => s.Name).ToList();
        string[] order =
        [
            "join cgroup /sys/fs/cgroup/cpu/lab/host1", "unshare the cgroup namespace", "join cgroup /sys/fs/cgroup/unified/lab/host1/system",
            "mount flags on /", "unmount /run/lock", "unmount /run", "mount proc on /proc", "mount sysfs on /sys", "mount tmpfs on /sys/fs/cgroup", "mkdir /sys/fs/cgroup/cpu",
            "mount cgroup on /sys/fs/cgroup/cpu", "mount cgroup2 on /sys/fs/cgroup/unified", "mount tmpfs on /run", "create /run/resolve/stub.conf",
            "mount /lab/hosts on /etc/hosts", "mount /lab/resolv.conf on /run/resolve/stub.conf", "set the host name host1", "ignore SIGCHLD", "execute the holder",
        ];
        Assert.Equal(order, steps.Where(order.Contains));
        var slave = LabHostPlan.For(Spec).Single(s => s.Name == "mount flags on /");
        Assert.Equal(0x84000, slave.Arguments[3].Value); // MS_SLAVE, MS_REC
    }

    [Fact]
    public void A_machine_with_v2_alone_needs_no_file_system_for_several_hierarchies()
    {
        var steps = LabHostPlan.For(Spec with { Cgroups = [new("/sys/fs/cgroup", [])] }).Select(s => s.Name).ToList();
        Assert.DoesNotContain("mount tmpfs on /sys/fs/cgroup", steps);
        Assert.Contains("mount cgroup2 on /sys/fs/cgroup", steps);
    }

    [Fact]
    public void A_program_enters_every_namespace_and_begins_in_its_folder()
    {
        var entry = new LabEntry { Arguments = ["true"], Environment = ["PATH=/bin:/usr/bin"], Folder = "/srv" };
        var steps = LabEnterPlan.For(entry, ["/g"]);
        string[] order = ["join cgroup /g", "enter the host's namespaces", "fork inside the host", "leave", "chdir /", "chdir /srv", "close descriptors", "exec /bin/true", "exec /usr/bin/true"];
        Assert.Equal(order, steps.Select(s => s.Name).Where(order.Contains));
        Assert.Equal(0x6e020000, steps.Single(s => s.Call == CallNumber.setns).Arguments[1].Value);
        Assert.DoesNotContain(steps, s => s.Call is CallNumber.setsid or CallNumber.dup2 or CallNumber.setpgid);
        Assert.Contains(LabEnterPlan.For(entry with { OwnGroup = true }, []), s => s.Call == CallNumber.setpgid);
    }

    [Fact]
    public void A_program_in_the_background_has_a_session_of_its_own_and_our_terminal_on_nothing()
    {
        using var log = new Microsoft.Win32.SafeHandles.SafeFileHandle(-1, ownsHandle: false);
        var steps = LabEnterPlan.For(new LabEntry { Arguments = ["true"], Environment = [], Log = log }, []);
        Assert.Single(steps, s => s.Call == CallNumber.setsid);
        Assert.Equal([0, 1, 2], steps.Where(s => s.Call == CallNumber.dup2).Select(s => s.Arguments[1].Value));
    }

    [Fact]
    public void The_holder_is_one_whole_program()
    {
        var image = HolderProgram.Image();
        Assert.Equal("\u007fELF"u8, image.AsSpan(0, 4));
        Assert.Equal((ulong)image.Length, BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(64 + 32))); // p_filesz
    }

    [Fact]
    public void Cuts_add_up_and_heal_by_host()
    {
        ImmutableArray<LabCut> cuts = [];
        cuts = LabCutPlan.Add(cuts, new("host2", "host1"));
        cuts = LabCutPlan.Add(cuts, new("host1", "host2"));
        cuts = LabCutPlan.Add(cuts, new("host3", null));
        Assert.Equal([new("host1", "host2"), new LabCut("host3", null)], cuts);
        Assert.Equal(
            [new("host1", "host2"), new("host2", "host1"), new("host3", null), new DroppedFrames(null, "host3")],
            LabCutPlan.Drops(cuts));
        Assert.Equal([new LabCut("host3", null)], LabCutPlan.Heal(cuts, "host2"));
        Assert.Equal([new LabCut("host1", "host2")], LabCutPlan.Heal(cuts, "host3"));
        Assert.Empty(LabCutPlan.Heal(cuts, null));
    }

    [Fact]
    public void Mounts_are_found_by_their_type_behind_fields_that_vary()
    {
        const string text = "22 27 0:21 / /proc rw,relatime - proc proc rw\n42 27 0:4 net:[1] /run/netns/a\\040b rw shared:1 master:2 - nsfs nsfs rw\n43 27 0:4 net:[2] /x rw - nsfs nsfs rw\n";
        Assert.Equal(["/x", "/run/netns/a b"], Mounts.ParseTypes(text, "nsfs"));
        Assert.Equal(["/proc"], Mounts.ParseTypes(text, "proc", "sysfs"));
    }
}
