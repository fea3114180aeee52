using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Finds SQLite: the system's library, which gets security updates, before the one that the package brings to
/// development builds; a published binary has the system's only.
/// </summary>
internal static class SqliteLibrary
{
    private static readonly Lazy<bool> Loaded = new(Load);

    internal static void Use() => _ = Loaded.Value;

    private static bool Load()
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != "e_sqlite3")
            return IntPtr.Zero;
        if (NativeLibrary.TryLoad("libsqlite3.so.0", out var system) || NativeLibrary.TryLoad(name, assembly, path, out system))
            return system;
        throw new JournalException(
            "the SQLite library libsqlite3.so.0 is not on this machine; install it (on Debian and Ubuntu: apt-get install libsqlite3-0)");
    }
}
