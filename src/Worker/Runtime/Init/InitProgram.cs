namespace Orchestrator.Worker.Runtime.Init;

/// <summary>The static executable that is pid 1 where a container asked for an init; see init.x86-64.s beside this file.</summary>
internal static class InitProgram
{
    /// <summary>The whole ELF file, in hexadecimal.</summary>
    internal const string Code =
        "7f454c4602010100000000000000000002003e0001000000780040000000000040000000000000000000000000000000" +
        "000000004000380001000000000000000100000005000000000000000000000000004000000000000000400000000000" +
        "f600000000000000f60000000000000000100000000000004881ec0001000048c7442408ffffffffbfffffffff4889e6" +
        "ba010000004531d2b83d0000000f0583f802743685c07fe0488d7c2408488d74241031d241ba08000000b8800000000f" +
        "0583f81174c285c07ede89c6bf02000000b83e0000000f05ebce8b042489c783e77f740881c780000000eb030fb6fcb8" +
        "e70000000f05";

    /// <summary>The bytes of the file.</summary>
    internal static byte[] Image() => Convert.FromHexString(Code);
}
