using System.Collections.Immutable;
using System.Diagnostics;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Hosts;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>Daemon and shim are killed at each step of a container's life. What somebody was told of stays true, and nothing is left over.</summary>
[Collection("hosts")]
public sealed class KillMatrixTests
{
    private static readonly ImmutableArray<(string Step, string Point, int Occurrence)> Steps =
    [
        ("create: layers held", "layers held", 1),
        ("create: done", "created", 1),
        ("start: network asked for", "network asked", 1),
        ("start: network made", "network made", 1),
        ("start: launch asked for", "launch asked", 1),
        ("start: program executed", "program executed", 1),
        ("start: done", "running", 1),
        ("stop: signal sent, in its grace", "signal sent", 1),
        ("exit: not recorded", "exit not recorded", 1),
        ("exit: recorded", "exit recorded", 1),
        ("exit: runtime deleted", "runtime deleted", 1),
        ("exit: network left", "network left", 1),
        ("remove: begun", "exit recorded", 2),
        ("remove: runtime deleted", "runtime deleted", 2),
        ("remove: network left", "network left", 2),
        ("remove: layers released", "layers released", 1),
        ("remove: done", "removed", 1),
    ];

    [Fact]
    public async Task A_daemon_killed_at_any_step_loses_nothing_acknowledged_and_leaves_nothing()
    {
        await using var world = await HostWorld.StartAsync();
        var before = await MatrixWorld.BelongingsAsync(world);
        var rows = new List<(string, string, string, TimeSpan)>();
        foreach (var (step, point, occurrence) in Steps)
        {
            var began = TimeProvider.System.GetTimestamp();
            await world.StopDaemonAsync();
            var gate = new StepGate(point, StepGate.FreezeAsync, occurrence);
            await world.StartDaemonAsync(services => SteppedServices.Of(services, gate));
            var told = new Told();
            var living = MatrixWorld.LiveAsync(world, gate, told);
            if (await Task.WhenAny(gate.Reached, living) == living)
                await living; // says why the step was not reached
            Assert.True(gate.Reached.IsCompleted, $"'{step}' was never reached");

            await world.AbandonDaemonAsync(gate.Reached);
            var soFar = new Told { Id = told.Id, Pid = told.Pid, State = told.State };
            await world.StartDaemonAsync();
            var lost = await MatrixWorld.LossesAsync(world, soFar);
            var left = await MatrixWorld.LeftAsync(world, before);
            rows.Add((step, string.Join("; ", lost), string.Join("; ", left), TimeProvider.System.GetElapsedTime(began)));
        }

        MatrixWorld.Report("daemon", rows);
        Assert.All(rows, row => Assert.Equal(("", ""), (row.Item2, row.Item3)));
    }

    [Fact]
    public async Task A_shim_killed_at_any_step_loses_nothing_acknowledged_and_leaves_nothing()
    {
        await using var world = await HostWorld.StartAsync();
        var before = await MatrixWorld.BelongingsAsync(world);
        var rows = new List<(string, string, string, TimeSpan)>();
        // A launch takes the shim some milliseconds: those are tried too.
        var steps = Steps.Concat(Enumerable.Range(1, 5).Select(ms => ($"start: launch asked for {ms} ms ago", "launch asked", -ms)));
        foreach (var (step, point, occurrence) in steps)
        {
            var began = TimeProvider.System.GetTimestamp();
            await world.StopDaemonAsync();
            using var shim = Process.GetProcessById(await world.ShimPidAsync());
            var gate = new StepGate(point, async stop =>
            {
                if (occurrence < 0)
                    await Task.Delay(TimeSpan.FromMilliseconds(-occurrence), TimeProvider.System, stop);
                shim.Kill(); // no program between: a launch takes milliseconds
                await Shell.EventuallyAsync("the shim's end", () => Task.FromResult(HostWorld.Lives(shim.Id)), lives => !lives);
            }, Math.Max(occurrence, 1));
            await world.StartDaemonAsync(services => SteppedServices.Of(services, gate));
            var told = new Told();
            var lost = new List<string>();
            try
            {
                await MatrixWorld.LiveAsync(world, gate, told);
            }
            catch (Exception refused) when (refused is not OutOfMemoryException)
            {
                // A daemon lives: everything asked of it is done, whatever happens to its shim.
                lost.Add($"told to be {told.State}, and then: {refused.Message}");
            }
            Assert.True(gate.Reached.IsCompleted, $"'{step}' was never reached: {string.Join(' ', lost)} {world.Said}");
            await Shell.EventuallyAsync("a shim again", () => world.Host.Networks.ResyncAsync(HostWorld.Soon).ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default), ok => ok);
            lost.AddRange(await MatrixWorld.LossesAsync(world, told));
            var left = await MatrixWorld.LeftAsync(world, before);
            rows.Add((step, string.Join("; ", lost), string.Join("; ", left), TimeProvider.System.GetElapsedTime(began)));
        }

        MatrixWorld.Report("shim", rows);
        Assert.All(rows, row => Assert.Equal(("", ""), (row.Item2, row.Item3)));
    }
}
