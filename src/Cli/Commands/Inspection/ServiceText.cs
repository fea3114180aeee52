using System.Globalization;
using System.Text;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Inspection;

/// <summary>A service for people, as docker's <c>service inspect --pretty</c>.</summary>
internal sealed class ServiceText
{
    private readonly StringBuilder _text = new();

    internal static string Write(Service service)
    {
        var writer = new ServiceText();
        writer.Add(service);
        return writer._text.ToString().TrimEnd('\n');
    }

    private void Add(Service service)
    {
        var spec = service.Spec;
        Line($"\nID:\t\t{service.Id}");
        Line($"Name:\t\t{spec.Name}");
        Pairs("Labels:", spec.Labels);
        Line($"Service Mode:\t{Mode(spec.Mode)}");
        if (spec.Mode.ReplicatedJob is { } job)
            Line($" Max Concurrent:\t{job.MaxConcurrent ?? 1}\n Total Completions:\t{job.TotalCompletions ?? job.MaxConcurrent ?? 1}");
        if (service.JobStatus is { } run)
            Line(string.Create(CultureInfo.InvariantCulture, $"JobStatus:\n Last Execution:\t{run.LastExecution:yyyy-MM-dd HH:mm:ss} UTC"));
        if (spec.Mode.Replicated is { } replicated)
            Line($" Replicas:\t{replicated.Replicas ?? 1}");
        if (service.UpdateStatus is { State.Length: > 0 } status)
        {
            Line("UpdateStatus:");
            Line($" State:\t\t{status.State}");
            if (status.StartedAt is { } started)
                Line(string.Create(CultureInfo.InvariantCulture, $" Started:\t{started:yyyy-MM-dd HH:mm:ss} UTC"));
            if (status.CompletedAt is { } completed)
                Line(string.Create(CultureInfo.InvariantCulture, $" Completed:\t{completed:yyyy-MM-dd HH:mm:ss} UTC"));
            Line($" Message:\t{status.Message}");
        }
        Line("Placement:");
        if (spec.TaskTemplate.Placement is { } placement)
        {
            if (placement.Constraints.Count > 0)
                Line($" Constraints:\t[{string.Join(' ', placement.Constraints)}]");
            if (placement.Preferences.Count > 0)
                Line($" Preferences:\t[{string.Join(' ', placement.Preferences.Select(p => "spread=" + p.Spread?.SpreadDescriptor))}]");
            if (placement.MaxReplicas > 0)
                Line($" Max Replicas Per Node:   {placement.MaxReplicas}");
        }
        Rollout("UpdateConfig:", "Update", spec.UpdateConfig);
        Rollout("RollbackConfig:", "Rollback", spec.RollbackConfig);
        Container(spec.TaskTemplate.ContainerSpec ?? new ContainerSpec());
        Amounts("Reservations", spec.TaskTemplate.Resources?.Reservations);
        Amounts("Limits", spec.TaskTemplate.Resources?.Limits);
        if (spec.TaskTemplate.Networks.Count > 0)
            Line($"Networks: {string.Join(' ', spec.TaskTemplate.Networks.Select(n => n.Target))} ");
        Line($"Endpoint Mode:\t{spec.EndpointSpec?.Mode ?? "vip"}");
        if (service.Endpoint.Ports.Count > 0)
            Line("Ports:");
        foreach (var port in service.Endpoint.Ports)
            Line($" PublishedPort = {port.PublishedPort}\n  Protocol = {port.Protocol}\n  TargetPort = {port.TargetPort}\n  PublishMode = {port.PublishMode}");
    }

    private static string Mode(ServiceMode mode) => mode switch
    {
        { Global: not null } => "Global",
        { ReplicatedJob: not null } => "ReplicatedJob",
        { GlobalJob: not null } => "GlobalJob",
        _ => "Replicated",
    };

    private void Rollout(string title, string what, UpdateConfig? config)
    {
        if (config is null)
            return;
        Line(title);
        Line($" Parallelism:\t{config.Parallelism}");
        if (config.Delay > TimeSpan.Zero)
            Line($" Delay:\t\t{Humanized.Span(config.Delay)}");
        Line($" On failure:\t{(string.IsNullOrEmpty(config.FailureAction) ? "pause" : config.FailureAction)}");
        if (config.Monitor > TimeSpan.Zero)
            Line($" Monitoring Period: {Humanized.Span(config.Monitor)}");
        Line(string.Create(CultureInfo.InvariantCulture, $" Max failure ratio: {config.MaxFailureRatio}"));
        Line($" {what} order:      {(string.IsNullOrEmpty(config.Order) ? "stop-first" : config.Order)}");
    }

    private void Container(ContainerSpec container)
    {
        Line("ContainerSpec:");
        Line($" Image:\t\t{container.Image}");
        if (container.Command.Count > 0)
            Line($" Command:\t{string.Join(' ', container.Command)}");
        if (container.Args.Count > 0)
            Line($" Args:\t\t{string.Join(' ', container.Args)} ");
        if (container.Env.Count > 0)
            Line($" Env:\t\t{string.Join(' ', container.Env)} ");
        if (!string.IsNullOrEmpty(container.Dir))
            Line($" Dir:\t\t{container.Dir}");
        if (!string.IsNullOrEmpty(container.User))
            Line($" User: {container.User}");
        if (container.Init is { } init)
            Line($" Init:\t\t{(init ? "true" : "false")}");
        if (container.Mounts.Count > 0)
            Line(" Mounts:");
        foreach (var mount in container.Mounts)
            Line($"  Target:\t{mount.Target}\n   Source:\t{mount.Source}\n   ReadOnly:\t{(mount.ReadOnly ? "true" : "false")}\n   Type:\t{mount.Type}");
        if (container.Secrets.Count > 0)
            Line(" Secrets:");
        foreach (var secret in container.Secrets)
            Line($"  Target:\t{secret.File?.Name}\n   Source:\t{secret.SecretName}");
        if (container.Configs.Count > 0)
            Line(" Configs:");
        foreach (var config in container.Configs)
            Line($"  Target:\t{config.File?.Name}\n   Source:\t{config.ConfigName}");
        if (container.Healthcheck is { Test.Count: > 0 } health)
            Line($" Healthcheck:\n  Interval = {Humanized.Span(health.Interval)}\n  Retries = {health.Retries}\n  StartPeriod =\t{Humanized.Span(health.StartPeriod)}\n  Timeout =\t{Humanized.Span(health.Timeout)}\n  Tests:\n\t Test = {string.Join(' ', health.Test)}");
    }

    private void Amounts(string title, ResourceAmounts? amounts)
    {
        if (amounts is null or { NanoCpus: 0, MemoryBytes: 0, Pids: 0 })
            return;
        if (_text.ToString().IndexOf("Resources:\n", StringComparison.Ordinal) < 0)
            Line("Resources:");
        Line($" {title}:");
        if (amounts.NanoCpus != 0)
            Line(string.Create(CultureInfo.InvariantCulture, $"  CPU:\t\t{amounts.NanoCpus / 1e9m:0.###}"));
        if (amounts.MemoryBytes != 0)
            Line($"  Memory:\t{Humanized.BinarySize(amounts.MemoryBytes)}");
        if (amounts.Pids != 0)
            Line($"  PIDs:\t\t{amounts.Pids}");
    }

    private void Pairs(string title, IReadOnlyDictionary<string, string> pairs)
    {
        if (pairs.Count > 0)
            Line(title);
        foreach (var (key, value) in pairs.OrderBy(p => p.Key, StringComparer.Ordinal))
            Line($" {key}={value}");
    }

    private void Line(string line) => _text.Append(line).Append('\n');
}
