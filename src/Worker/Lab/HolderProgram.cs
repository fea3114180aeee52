namespace Orchestrator.Worker.Lab;

/// <summary>The static executable that is pid 1 of a lab host and waits; see holder.x86-64.s beside this file. It costs a few kilobytes.</summary>
internal static class HolderProgram
{
    /// <summary>The whole ELF file, in hexadecimal.</summary>
    internal const string Code =
        "7f454c4602010100000000000000000002003e0001000000780040000000000040000000000000000000000000000000" +
        "000000004000380001000000000000000100000005000000000000000000000000004000000000000000400000000000" +
        "810000000000000081000000000000000010000000000000b8220000000f05ebf7";

    /// <summary>The bytes of the file.</summary>
    internal static byte[] Image() => Convert.FromHexString(Code);
}
