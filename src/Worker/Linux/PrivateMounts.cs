using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

/// <summary>
/// Mounts that only we see, in a mount namespace of their own: they are there while this is, and gone with it however the process ends.
/// </summary>
internal sealed partial class PrivateMounts : IDisposable
{
    private const int CloneNewNs = 0x20000;

    private readonly SafeFileHandle ns;

    private PrivateMounts(SafeFileHandle ns, SafeFileHandle root) => (this.ns, Root) = (ns, root);

    /// <summary>What <c>arrange</c> gave.</summary>
    internal SafeFileHandle Root { get; }

    /// <summary>Runs the function in a new namespace that is a copy of ours; nothing it mounts comes out of there.</summary>
    /// <param name="arrange">Mounts, and opens the directory that is wanted. It must not await: it has a thread of its own, which ends with it.</param>
    internal static PrivateMounts Make(Func<SafeFileHandle> arrange)
    {
        PrivateMounts? made = null;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (unshare(CloneNewNs) == -1)
                    throw LinuxException.Last("unshare mount namespace");
                Mounts.Mount(null, "/", null, Mounts.RecursiveFlag | Mounts.PrivateFlag, null);
                made = new PrivateMounts(Namespaces.Open("/proc/thread-self/ns/mnt"), arrange());
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }) { Name = "private mounts", IsBackground = true };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return made!;
    }

    public void Dispose()
    {
        Root.Dispose();
        ns.Dispose();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
