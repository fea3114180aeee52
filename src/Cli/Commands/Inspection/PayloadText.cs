using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Inspection;

/// <summary>Secrets and configs for people, as docker's <c>--pretty</c>.</summary>
internal static class PayloadText
{
    internal static string Write(Secret secret) => Write(secret, "ID:              ", "Name:              ", $"Driver:            {secret.Spec.Driver?.Name}\n", "        ");

    internal static string Write(Config config) =>
        Write(config, "ID:\t\t\t", "Name:\t\t\t", "", "            \t") + $"\nData:\n{Encoding.UTF8.GetString(config.Spec.Data ?? [])}";

    private static string Write(StoredPayload payload, string id, string name, string more, string gap)
    {
        var text = new StringBuilder();
        text.Append(id).Append(payload.Id).Append('\n').Append(name).Append(payload.Content.Name).Append('\n');
        if (payload.Content.Labels.Count > 0)
            text.Append("Labels:\n");
        foreach (var (key, value) in payload.Content.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))
            text.Append(" - ").Append(key).Append(value.Length > 0 ? "=" : "").Append(value).Append('\n');
        text.Append(more);
        text.Append(CultureInfo.InvariantCulture, $"Created at:{gap}{payload.CreatedAt:yyyy-MM-dd HH:mm:ss.fffffff} +0000 utc\n");
        text.Append(CultureInfo.InvariantCulture, $"Updated at:{gap}{payload.UpdatedAt:yyyy-MM-dd HH:mm:ss.fffffff} +0000 utc");
        return text.ToString();
    }
}
