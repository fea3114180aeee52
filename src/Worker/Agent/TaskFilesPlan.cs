using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Payloads;

namespace Orchestrator.Worker.Agent;

/// <summary>A task's secrets and configs as files of its container.</summary>
internal static class TaskFilesPlan
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static bool Needs(TaskAssignment assignment) => assignment.Task.Spec.ContainerSpec is { } spec && spec.Secrets.Count + spec.Configs.Count > 0;

    /// <exception cref="TaskFailedException">One is not there or its template cannot be filled in; all of them are named.</exception>
    internal static ContainerFiles Of(TaskAssignment assignment, NodePayloads payloads, string nodeHostname)
    {
        if (!Needs(assignment))
            return ContainerFiles.None;
        var spec = assignment.Task.Spec.ContainerSpec!;
        var problems = new List<string>();
        var sources = new TemplateSources(
            name => Variable(spec, name, assignment, nodeHostname),
            name => Text(spec.Secrets.FirstOrDefault(r => r.File?.Name == name || r.SecretName == name) is { } r ? payloads.Secrets.GetValueOrDefault(r.SecretId) : null),
            name => Text(spec.Configs.FirstOrDefault(r => r.File?.Name == name || r.ConfigName == name) is { } r ? payloads.Configs.GetValueOrDefault(r.ConfigId) : null));
        var files = new List<ContainerFile>();
        foreach (var reference in spec.Secrets.Where(r => r.File is not null))
            Add("secret", reference.SecretName, payloads.Secrets.GetValueOrDefault(reference.SecretId), PayloadValidation.SecretPath(reference.File!.Name), reference.File);
        foreach (var reference in spec.Configs.Where(r => r.File is not null))
            Add("config", reference.ConfigName, payloads.Configs.GetValueOrDefault(reference.ConfigId), PayloadValidation.ConfigPath(reference.File!.Name), reference.File);
        return problems.Count == 0 ? new([.. files]) : throw new TaskFailedException(string.Join("; ", problems));

        void Add(string noun, string name, AssignedPayload? payload, string target, ReferenceFile file)
        {
            if (payload is null)
            {
                problems.Add($"{noun} {name} not found: it was removed after the service was told to use it; make it again and update the service");
                return;
            }

            try
            {
                var bytes = payload.Template ? Utf8.GetBytes(PayloadTemplate.Expand(Utf8.GetString(payload.Data), assignment, nodeHostname, sources)) : payload.Data;
                files.Add(new(target, uint.Parse(file.Uid, CultureInfo.InvariantCulture), uint.Parse(file.Gid, CultureInfo.InvariantCulture), file.Mode, bytes));
            }
            catch (TemplateFailedException e)
            {
                problems.Add($"expanding {noun} failed: {name}: {e.Message}");
            }
            catch (DecoderFallbackException)
            {
                problems.Add($"expanding {noun} failed: {name}: a template is text in UTF-8, and this is not");
            }
        }
    }

    private static string? Text(AssignedPayload? payload) => payload is null ? null : Encoding.UTF8.GetString(payload.Data);

    private static string? Variable(ContainerSpec spec, string name, TaskAssignment assignment, string nodeHostname) =>
        spec.Env.LastOrDefault(v => v.StartsWith(name + "=", StringComparison.Ordinal)) is { } variable
            ? TaskTemplate.Expand(variable[(name.Length + 1)..], assignment, nodeHostname, [])
            : null;
}
