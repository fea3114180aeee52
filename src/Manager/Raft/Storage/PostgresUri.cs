using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// <c>postgres://user:password@host:port/database?…</c> as libpq reads it (PostgreSQL manual, 34.1.1.2), with the parameters that a journal needs:
/// <c>host</c> (a name, or a directory with the server's socket), <c>port</c>, <c>user</c>, <c>password</c>, <c>passfile</c>, <c>sslmode</c>,
/// <c>sslrootcert</c>, <c>sslcert</c>, <c>sslkey</c>, <c>connect_timeout</c>.
/// </summary>
internal static class PostgresUri
{
    /// <exception cref="JournalException">It is not understood; the message names every problem, and never the password.</exception>
    internal static NpgsqlConnectionStringBuilder Read(string text) =>
        TryRead(text, out var read, out var problems) ? read : throw new JournalException($"--journal: {string.Join("; ", problems)}");

    internal static bool TryRead(string text, [NotNullWhen(true)] out NpgsqlConnectionStringBuilder? read, out IReadOnlyList<string> problems)
    {
        List<string> found = [];
        problems = found;
        read = null;
        // An empty authority is libpq's way to name a socket's directory by ?host=; Uri wants a host there.
        var withHost = text.Replace(":///", "://localhost/", StringComparison.Ordinal);
        if (!Uri.TryCreate(withHost, UriKind.Absolute, out var uri) || uri.Scheme is not ("postgres" or "postgresql"))
        {
            found.Add("it has to be postgres://USER@HOST[:PORT]/DATABASE, or postgres:///DATABASE?host=/run/postgresql for a server's socket");
            return false;
        }

        var builder = new NpgsqlConnectionStringBuilder { Host = uri.IdnHost.Trim('[', ']'), Port = uri.Port > 0 ? uri.Port : NpgsqlConnection.DefaultPort };
        var (user, password) = Split(uri.UserInfo, ':');
        if (user.Length > 0)
            builder.Username = Uri.UnescapeDataString(user);
        if (password is not null)
            builder.Password = Uri.UnescapeDataString(password);
        if (uri.AbsolutePath.Length > 1)
            builder.Database = Uri.UnescapeDataString(uri.AbsolutePath[1..]);
        foreach (var parameter in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Split(parameter, '=');
            if (Set(builder, name, Uri.UnescapeDataString(value ?? "")) is { } problem)
                found.Add(problem);
        }

        if (string.IsNullOrEmpty(builder.Database))
            found.Add("it names no database");
        if (string.IsNullOrEmpty(builder.Username))
            found.Add("it names no user");
        read = found.Count == 0 ? builder : null;
        return read is not null;
    }

    private static string? Set(NpgsqlConnectionStringBuilder builder, string name, string value)
    {
        switch (name)
        {
            case "host":
                builder.Host = value;
                return value.Length > 0 ? null : "host is empty";
            case "port" when int.TryParse(value, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536:
                builder.Port = port;
                return null;
            case "user":
                builder.Username = value;
                return null;
            case "password":
                builder.Password = value;
                return null;
            case "passfile":
                builder.Passfile = value;
                return null;
            case "sslmode" when Mode(value) is { } mode:
                builder.SslMode = mode;
                return null;
            case "sslrootcert":
                builder.RootCertificate = value;
                return null;
            case "sslcert":
                builder.SslCertificate = value;
                return null;
            case "sslkey":
                builder.SslKey = value;
                return null;
            case "connect_timeout" when int.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds > 0:
                builder.Timeout = seconds;
                return null;
            case "port" or "connect_timeout":
                return $"{name}={value} is no number that it can be";
            case "sslmode":
                return $"sslmode={value} is none of disable, allow, prefer, require, verify-ca, verify-full";
            default:
                return $"the parameter {name} is not known";
        }
    }

    private static SslMode? Mode(string value) => value switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "prefer" => SslMode.Prefer,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => null,
    };

    private static (string Before, string? After) Split(string text, char at) =>
        text.IndexOf(at, StringComparison.Ordinal) is var i and >= 0 ? (text[..i], text[(i + 1)..]) : (text, null);
}
