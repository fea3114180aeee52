using System.Globalization;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Payloads;

/// <summary><c>inspect --pretty</c> of secrets and configs, laid out as docker's.</summary>
internal static class PayloadText
{
    internal static string Pretty(StoredPayload payload)
    {
        var text = new StringBuilder();
        Line("ID:", payload.Id);
        Line("Name:", payload.Content.Name);
        if (payload.Content.Labels.Count > 0)
        {
            text.Append("Labels:\n");
            foreach (var (key, value) in payload.Content.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))
                text.Append(" - ").Append(key).Append(value.Length > 0 ? "=" + value : "").Append('\n');
        }
        if (payload is Secret secret)
            Line("Driver:", secret.Spec.Driver?.Name ?? "");
        Line("Created at:", Time(payload.CreatedAt));
        Line("Updated at:", Time(payload.UpdatedAt));
        if (payload is Config config)
            text.Append("Data:\n").Append(Encoding.UTF8.GetString(config.Spec.Data ?? [])).Append('\n');
        return text.ToString();

        void Line(string what, string value) => text.Append(what.PadRight(18)).Append(value).Append('\n');
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fffffff '+0000 utc'", CultureInfo.InvariantCulture);
}
