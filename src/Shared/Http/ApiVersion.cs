using System.Globalization;

namespace Orchestrator.Shared.Http;

/// <summary>A version of the Engine API, such as 1.50.</summary>
public readonly record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    /// <summary>The newest version spoken here; also what unversioned paths mean.</summary>
    public static readonly ApiVersion Newest = new(1, 50);

    /// <summary>The oldest version whose clients are answered.</summary>
    public static readonly ApiVersion Oldest = new(1, 24);

    /// <summary>Reads <c>1.50</c>; null when the text is none.</summary>
    public static ApiVersion? Parse(ReadOnlySpan<char> text)
    {
        var dot = text.IndexOf('.');
        return dot > 0 && int.TryParse(text[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new(major, minor)
            : null;
    }

    /// <summary>Why a client of this version cannot be answered; null when it can.</summary>
    public string? Refusal() =>
        CompareTo(Newest) > 0 ? $"client version {this} is too new. Maximum supported API version is {Newest}"
        : CompareTo(Oldest) < 0 ? $"client version {this} is too old. Minimum supported API version is {Oldest}, please upgrade your client to a newer version"
        : null;

    public int CompareTo(ApiVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    public override string ToString() => $"{Major}.{Minor}";
}
