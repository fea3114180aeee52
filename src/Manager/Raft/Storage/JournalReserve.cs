namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Room that is kept beside a journal on this host's disk (<c>journal.reserve</c>), and given up when the disk is full: a daemon that starts
/// then can still open its journal, and the cluster's own entries go on for a while.
/// </summary>
internal sealed class JournalReserve(string directory, TimeProvider time)
{
    internal const string FileName = "journal.reserve";
    internal const int Bytes = 1 << 20;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly string path = Path.Combine(directory, FileName);
    private bool isThere;
    private long? tried;

    /// <summary>Makes it when it is missing and there is room for it and more; asks the disk now and then only.</summary>
    internal void Restore()
    {
        if (isThere || (tried is { } last && time.GetElapsedTime(last) < Pause))
            return;
        tried = time.GetTimestamp();
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: Bytes })
            {
                if (new DriveInfo(directory).AvailableFreeSpace < 16L * Bytes)
                    return;
                File.WriteAllBytes(path, new byte[Bytes]);
            }

            isThere = true;
        }
        catch (IOException)
        {
            // It is a help, not a promise: without it a full disk is full a little earlier.
        }
    }

    /// <summary>Gives it up; false when there is none.</summary>
    internal bool Spend()
    {
        isThere = false;
        tried = time.GetTimestamp();
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        return true;
    }
}
