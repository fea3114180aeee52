using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux;

internal static unsafe partial class MountTree
{
    private const nint MoveMountNumber = 429;
    private const nint MoveFromEmptyPath = 4;
    private const nint MoveToFollowsLinks = 0x10;

    /// <summary>Hangs a detached mount on a path (a link at its end is followed) of the calling thread's namespace (move_mount(2)).</summary>
    internal static void Attach(SafeFileHandle tree, string target)
    {
        fixed (byte* empty = Utf8(""), path = Utf8(target))
        {
            if (syscall(MoveMountNumber, (int)tree.DangerousGetHandle(), (nint)empty, AtCwd, (nint)path, MoveFromEmptyPath | MoveToFollowsLinks) == -1)
                throw LinuxException.Last($"move_mount to {target}");
        }
        GC.KeepAlive(tree);
    }
}
