using System.Globalization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>--restart NAME[:COUNT]</c>; whether the name is one is the daemon's to say.</summary>
internal static class RestartFlag
{
    internal static ContainerRestartPolicy Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length > 2 || parts[0].Length == 0)
            throw new CommandException($"invalid restart policy format: '{text}'; write NAME or NAME:COUNT", 125);
        if (parts.Length == 1)
            return new ContainerRestartPolicy { Name = parts[0] };
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new ContainerRestartPolicy { Name = parts[0], MaximumRetryCount = count }
            : throw new CommandException($"invalid restart policy format: maximum retry count must be an integer, not '{parts[1]}'", 125);
    }
}
