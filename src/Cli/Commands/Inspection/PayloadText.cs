using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Inspection;

/// <summary>Secrets and configs for people, as docker's <c>--pretty</c>.</summary>
internal static class PayloadText
{
    internal static string Write(Secret secret) => Write(secret.Id, secret.Spec, secret.CreatedAt, secret.UpdatedAt);

    internal static string Write(Config config) =>
        Write(config.Id, config.Spec, config.CreatedAt, config.UpdatedAt) + $"\nData:\n{Encoding.UTF8.GetString(config.Spec.Data ?? [])}";

    private static string Write(string id, PayloadSpec spec, DateTimeOffset created, DateTimeOffset updated)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"ID:\t\t\t{id}\nName:\t\t\t{spec.Name}\n");
        if (spec.Labels.Count > 0)
            text.Append("Labels:\n");
        foreach (var (key, value) in spec.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $" - {key}={value}\n");
        text.Append(CultureInfo.InvariantCulture, $"Created at:            \t{created:yyyy-MM-dd HH:mm:ss.fffffff} +0000 utc\n");
        text.Append(CultureInfo.InvariantCulture, $"Updated at:            \t{updated:yyyy-MM-dd HH:mm:ss.fffffff} +0000 utc");
        return text.ToString();
    }
}
