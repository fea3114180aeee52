using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Linux;

/// <summary>What statx(2) says of a file.</summary>
internal readonly record struct FileStatus(
    FileKind Kind, uint Permissions, uint Uid, uint Gid, long Size, uint Links, ulong Inode, ulong Device,
    uint Major, uint Minor, long ModifiedSeconds, uint ModifiedNanoseconds)
{
    internal static FileStatus From(in Statx x) => new(
        (FileKind)(x.Mode & 0xf000), x.Mode & 0xfffu, x.Uid, x.Gid, (long)x.Size, x.Links, x.Inode, ((ulong)x.DeviceMajor << 32) | x.DeviceMinor,
        x.NodeMajor, x.NodeMinor, x.ModifiedSeconds, x.ModifiedNanoseconds);
}

/// <summary>The S_IFMT part of a mode.</summary>
internal enum FileKind
{
    Fifo = 0x1000,
    Character = 0x2000,
    Directory = 0x4000,
    Block = 0x6000,
    Regular = 0x8000,
    Symlink = 0xa000,
    Socket = 0xc000,
}

/// <summary>The kernel's struct statx; 256 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct Statx
{
    public uint Mask, BlockSize;
    public ulong Attributes;
    public uint Links, Uid, Gid;
    public ushort Mode, Spare0;
    public ulong Inode, Size, Blocks, AttributesMask;
    public long AccessedSeconds;
    public uint AccessedNanoseconds, Spare1;
    public long BornSeconds;
    public uint BornNanoseconds, Spare2;
    public long ChangedSeconds;
    public uint ChangedNanoseconds, Spare3;
    public long ModifiedSeconds;
    public uint ModifiedNanoseconds, Spare4;
    public uint NodeMajor, NodeMinor, DeviceMajor, DeviceMinor;
}
