using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The column that names what a payload is; another form of payload gets another name.</summary>
internal static class JournalManifest
{
    /// <summary>The whole state in a snapshot's row: format 1.</summary>
    internal const string State = "state";

    /// <summary>A snapshot's row that names its pieces.</summary>
    internal const string Pieces = "pieces";

    internal const string Piece = "piece";
    internal const string Head = "head";

    /// <summary>Before the name of a payload that is sealed; journals of versions that sealed nothing lack it, and are read as they are.</summary>
    internal const string SealedPrefix = "sealed-";

    private static readonly string[] SealedKinds = [.. Enum.GetValues<EntryKind>().Select(k => SealedPrefix + Of(k))];

    internal static string Of(EntryKind kind) => kind switch
    {
        EntryKind.Command => "command",
        EntryKind.Empty => "empty",
        EntryKind.Membership => "membership",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Null: none of this version's.</summary>
    internal static EntryKind? KindOf(string manifest) => manifest switch
    {
        "command" => EntryKind.Command,
        "empty" => EntryKind.Empty,
        "membership" => EntryKind.Membership,
        _ => null,
    };

    internal static string SealedOf(EntryKind kind) => SealedKinds[(int)kind];

    internal static bool IsSealed(string manifest) => manifest.StartsWith(SealedPrefix, StringComparison.Ordinal);

    internal static string Clear(string manifest) => IsSealed(manifest) ? manifest[SealedPrefix.Length..] : manifest;
}
