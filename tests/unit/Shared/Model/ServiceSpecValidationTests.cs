using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Tests.Unit.Manager;

namespace Orchestrator.Tests.Unit.Shared.Model;

public sealed class ServiceSpecValidationTests
{
    [Fact]
    public void What_the_stock_client_sends_for_a_plain_service_is_accepted()
    {
        var spec = ModelJson.Read<StackSpec>("""
            {"Services":[{"Name":"web","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"web:1","Init":false,"DNSConfig":{},"Isolation":"default",
            "StopGracePeriod":10000000000},"Resources":{"Limits":{},"Reservations":{}},"RestartPolicy":{"Condition":"any","Delay":5000000000,"MaxAttempts":0},
            "Placement":{"Platforms":[{"Architecture":"amd64","OS":"linux"}]},"Networks":[{"Target":"front"}],"ForceUpdate":0,"Runtime":"container"},
            "Mode":{"Replicated":{"Replicas":3}},"UpdateConfig":{"Parallelism":1,"FailureAction":"pause","Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"},
            "RollbackConfig":{"Parallelism":1,"FailureAction":"pause","Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"},
            "EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]}}]}
            """u8);
        Assert.Empty(ServiceSpecValidation.Check(spec.Services[0]));
    }

    [Fact]
    public void Every_problem_is_told_at_once_with_its_path()
    {
        var spec = new ServiceSpec
        {
            Name = "bad name",
            TaskTemplate = new()
            {
                ContainerSpec = new() { Image = " ", Mounts = [new() { Type = "bind", Source = "rel", Target = "/x" }] },
                Resources = new() { Limits = new() { MemoryBytes = 1024 } },
                Placement = new() { Constraints = ["node.role=manager"] },
            },
            EndpointSpec = new() { Ports = [new() { TargetPort = 80, PublishedPort = 70000 }] },
        };
        Assert.Equal(
            [
                "EndpointSpec.Ports", "Name", "TaskTemplate.ContainerSpec.Image", "TaskTemplate.ContainerSpec.Mounts",
                "TaskTemplate.Placement.Constraints", "TaskTemplate.Resources.Limits.MemoryBytes",
            ],
            ServiceSpecValidation.Check(spec).Select(p => p.Where).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1000_000_000, 2000_000_000, "a reservation of 2 CPUs is more than the limit of 1")]
    [InlineData(-1, 0, "invalid cpu value -0.000000001: must be at least 0.001")]
    public void Impossible_limits_are_named(long limit, long reserved, string message)
    {
        var spec = Scene.Spec("web");
        spec = spec with { TaskTemplate = spec.TaskTemplate with { Resources = new() { Limits = new() { NanoCpus = limit }, Reservations = new() { NanoCpus = reserved } } } };
        Assert.Equal(message, Assert.Single(ServiceSpecValidation.Check(spec)).Message);
    }

    public static TheoryData<ContainerSpec, string> Later => new()
    {
        { new() { Image = "a", Mounts = [new() { Type = "volume", Source = "data", Target = "/d", VolumeOptions = new() { DriverConfig = new() { Name = "nas" } } }] }, "volume driver 'nas' is not there ('/d'): orch has the driver local only" },
    };

    public static TheoryData<ContainerSpec, string> Nonsense => new()
    {
        { new() { Image = "a", CapabilityAdd = ["NET_ADMIN", "CAP_FOO"] }, "unknown capability: \"CAP_FOO\"" },
        { new() { Image = "a", CapabilityDrop = ["all", "bar"] }, "unknown capability: \"CAP_BAR\"" },
        { new() { Image = "a", Ulimits = [new() { Name = "foo", Soft = 1, Hard = 1 }] }, "invalid ulimit type: foo" },
        { new() { Image = "a", Ulimits = [new() { Name = "nofile", Soft = 2, Hard = 1 }] }, "ulimit soft limit must be less than or equal to hard limit: 2 > 1" },
        { new() { Image = "a", StopSignal = "FOO" }, "Invalid signal: FOO" },
        { new() { Image = "a", OomScoreAdj = 1001 }, "Invalid value 1001, range for oom score adj is [-1000, 1000]" },
        { new() { Image = "a", Sysctls = new Dictionary<string, string> { ["vm.swappiness"] = "1" } }, "sysctl 'vm.swappiness' is not allowed: it is not the container's own" },
        { new() { Image = "a", Hosts = ["nowhere db"] }, "'nowhere db' is no line of /etc/hosts: write IP NAME" },
        { new() { Image = "a", Env = ["A={{.Foo}}"] }, "the template 'A={{.Foo}}' holds '.Foo', which is not known" },
        { new() { Image = "a", Hostname = "{{.Service.Name}}-{{.Slot}}" }, "the template '{{.Service.Name}}-{{.Slot}}' holds '.Slot', which is not known" },
        { new() { Image = "a", Mounts = [new() { Type = "volume", Source = "v-{{.Task}}", Target = "/d" }] }, "the template 'v-{{.Task}}' holds '.Task', which is not known" },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void What_no_node_could_run_is_refused_before_there_are_tasks(ContainerSpec container, string message)
    {
        var spec = Scene.Spec("web") with { TaskTemplate = new() { ContainerSpec = container } };
        Assert.Equal(message, Assert.Single(ServiceSpecValidation.Check(spec)).Message);
    }

    [Fact]
    public void A_job_completes_at_least_once_and_is_not_rolled_out()
    {
        var spec = Scene.Spec("job") with
        {
            Mode = new() { ReplicatedJob = new() { MaxConcurrent = 0, TotalCompletions = 0 } },
            UpdateConfig = new(),
            RollbackConfig = new(),
        };
        Assert.Equal(
            ["Mode.ReplicatedJob.MaxConcurrent", "Mode.ReplicatedJob.TotalCompletions", "RollbackConfig", "UpdateConfig"],
            ServiceSpecValidation.Check(spec).Select(p => p.Where).Order(StringComparer.Ordinal));
        Assert.Empty(ServiceSpecValidation.Check(Scene.Spec("job") with { Mode = new() { GlobalJob = new() } }));
    }

    [Fact]
    public void Templates_and_kernel_settings_that_mean_something_are_accepted()
    {
        var container = new ContainerSpec
        {
            Image = "a",
            Env = ["A={{.Node.ID}}{{ .Task.Slot }}", "B={{index .Service.Labels \"tier\"}}"],
            Hostname = "{{.Service.Name}}-{{.Task.Slot}}",
            CapabilityAdd = ["ALL"],
            CapabilityDrop = ["net_raw"],
            StopSignal = "SIGRTMIN+3",
            Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = "10", ["kernel.shmmax"] = "1" },
            Ulimits = [new() { Name = "nofile", Soft = -1, Hard = -1 }],
        };
        Assert.Empty(ServiceSpecValidation.Check(Scene.Spec("web") with { TaskTemplate = new() { ContainerSpec = container } }));
    }

    [Theory]
    [MemberData(nameof(Later))]
    public void What_does_not_work_yet_is_refused_by_name(ContainerSpec container, string message)
    {
        var spec = Scene.Spec("web") with { TaskTemplate = new() { ContainerSpec = container } };
        Assert.Equal(message, Assert.Single(ServiceSpecValidation.Check(spec)).Message);
    }

    [Fact]
    public void A_published_port_is_named_once()
    {
        var spec = Scene.Publishing(Scene.Spec("web"), new PortConfig { TargetPort = 80, PublishedPort = 80 }, new PortConfig { TargetPort = 81, PublishedPort = 80 });
        Assert.Equal("published port 80/tcp is named twice", Assert.Single(ServiceSpecValidation.Check(spec)).Message);
    }

    [Theory]
    [InlineData("10.1.0.0/24", null, null, null)]
    [InlineData("10.1.0.1/24", null, null, "subnet '10.1.0.1/24' is not an IPv4 network such as 10.1.2.0/24, between /8 and /29")]
    [InlineData("10.1.0.0/24", "10.2.0.1", null, "gateway '10.2.0.1' is not a host's address of subnet 10.1.0.0/24")]
    [InlineData("10.1.0.0/24", null, "10.2.0.0/25", "range '10.2.0.0/25' is not a part of subnet 10.1.0.0/24")]
    public void A_network_s_addresses_are_judged(string subnet, string? gateway, string? range, string? message)
    {
        var problems = NetworkValidation.Check(new() { Name = "n", Ipam = new() { Config = [new() { Subnet = subnet, Gateway = gateway, IpRange = range }] } });
        Assert.Equal(message, problems is [var problem] ? problem.Message : null);
    }
}
