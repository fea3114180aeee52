using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Images;

namespace Orchestrator.Tests.Unit.Worker.Containers.Health;

public sealed class HealthPlanTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly HealthCheck Check = new()
    {
        Command = ["true"],
        Interval = TimeSpan.FromSeconds(10),
        Retries = 3,
        StartPeriod = TimeSpan.FromSeconds(20),
        StartInterval = TimeSpan.FromSeconds(2),
    };

    private static HealthProbe Probe(int code, double at, string output = "") =>
        new() { Start = Start.AddSeconds(at), End = Start.AddSeconds(at), ExitCode = code, Output = output };

    private static ContainerHealth Story(params (int Code, double At)[] probes) =>
        probes.Aggregate(HealthPlan.Begin(null), (health, p) => HealthPlan.After(Check, health, Probe(p.Code, p.At), Start));

    [Fact]
    public void The_first_success_makes_it_healthy() => Assert.Equal(HealthPlan.Healthy, Story((0, 2)).Status);

    [Fact]
    public void Failures_of_the_start_period_do_not_count()
    {
        var health = Story((1, 2), (1, 4), (1, 6), (1, 8), (1, 10));
        Assert.Equal((HealthPlan.Starting, 0), (health.Status, health.FailingStreak));
    }

    [Fact]
    public void After_the_start_period_as_many_failures_as_retries_make_it_unhealthy()
    {
        Assert.Equal((HealthPlan.Starting, 2), Seen(Story((1, 21), (1, 31))));
        Assert.Equal((HealthPlan.Unhealthy, 3), Seen(Story((1, 21), (1, 31), (1, 41))));
    }

    [Fact]
    public void Who_was_healthy_once_is_not_spared_by_the_start_period() =>
        Assert.Equal((HealthPlan.Unhealthy, 3), Seen(Story((0, 2), (1, 4), (1, 6), (1, 8))));

    [Fact]
    public void A_success_ends_the_streak_and_heals()
    {
        Assert.Equal((HealthPlan.Healthy, 0), Seen(Story((1, 21), (1, 31), (1, 41), (0, 51))));
        Assert.Equal((HealthPlan.Healthy, 2), Seen(Story((0, 21), (1, 31), (1, 41))));
    }

    [Fact]
    public void The_five_newest_probes_are_kept_over_starts() 
    {
        var health = Story((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7));
        Assert.Equal([3, 4, 5, 6, 7], health.Log.Select(p => p.ExitCode));
        Assert.Equal([3, 4, 5, 6, 7], HealthPlan.Begin(health).Log.Select(p => p.ExitCode));
    }

    [Theory]
    [InlineData("starting", 0, 2)]
    [InlineData("starting", 19, 2)]
    [InlineData("starting", 20, 10)]
    [InlineData("healthy", 5, 10)]
    [InlineData("unhealthy", 5, 10)]
    public void The_start_interval_holds_until_it_is_healthy_or_the_period_is_over(string status, double since, double pause) =>
        Assert.Equal(TimeSpan.FromSeconds(pause), HealthPlan.Pause(Check, new ContainerHealth { Status = status }, Start, Start.AddSeconds(since)));

    [Fact]
    public void The_images_check_fills_what_the_request_leaves_open()
    {
        var image = new ImageHealthcheck { Test = ["CMD", "curl", "x"], Interval = 5_000_000_000, Retries = 7 };
        var merged = HealthCheck.Merge(new HealthConfig { Interval = TimeSpan.FromSeconds(1) }, image)!;
        Assert.Equal(["CMD", "curl", "x"], merged.Test);
        Assert.Equal((TimeSpan.FromSeconds(1), 7), (merged.Interval, merged.Retries));
        Assert.Null(HealthCheck.Of(new ContainerConfig { Healthcheck = HealthCheck.Merge(new HealthConfig { Test = ["NONE"] }, image) }));
    }

    [Fact]
    public void A_text_goes_through_the_shell_and_what_is_not_said_is_dockers_default()
    {
        var check = HealthCheck.Of(new ContainerConfig { Healthcheck = new HealthConfig { Test = ["CMD-SHELL", "curl x || exit 1"] } })!;
        Assert.Equal(["/bin/sh", "-c", "curl x || exit 1"], check.Command);
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), 3, TimeSpan.Zero, TimeSpan.FromSeconds(5)),
            (check.Interval, check.Timeout, check.Retries, check.StartPeriod, check.StartInterval));
        var shell = HealthCheck.Of(new ContainerConfig { Shell = ["/bin/ash", "-ec"], Healthcheck = new HealthConfig { Test = ["CMD-SHELL", "x"] } })!;
        Assert.Equal(["/bin/ash", "-ec", "x"], shell.Command);
        Assert.Null(HealthCheck.Of(new ContainerConfig()));
    }

    [Fact]
    public void Every_mistake_of_a_check_is_told()
    {
        var wrong = new HealthConfig { Test = ["SHELL", "x"], Interval = TimeSpan.FromMicroseconds(5), Timeout = TimeSpan.FromSeconds(-1), Retries = -1 };
        Assert.Equal(
            ["Healthcheck.Test", "Healthcheck.Interval", "Healthcheck.Timeout", "Healthcheck.Retries"],
            HealthValidation.Check(wrong, "Healthcheck").Select(p => p.Where));
        Assert.Empty(HealthValidation.Check(new HealthConfig { Test = ["NONE"] }, ""));
    }

    [Fact]
    public void A_complaint_is_what_the_probe_printed_on_one_line()
    {
        var health = HealthPlan.After(Check, HealthPlan.Begin(null), Probe(1, 30, "curl: (7)\n  refused\n"), Start);
        Assert.Equal("curl: (7) refused", HealthPlan.Complaint(health));
        Assert.Null(HealthPlan.Complaint(Story((0, 1))));
        Assert.Equal("the health check exited with 3 and printed nothing", HealthPlan.Complaint(Story((3, 1))));
    }

    [Fact]
    public void Of_much_output_the_beginning_is_kept()
    {
        var output = new ProbeOutput();
        output.Add([.. Enumerable.Repeat((byte)'a', 4090)]);
        output.Add([.. Enumerable.Repeat((byte)'b', 100)]);
        Assert.Equal(new string('a', 4090) + "bbbbbb...", output.ToString());
    }

    private static (string, int) Seen(ContainerHealth health) => (health.Status, health.FailingStreak);
}
