namespace Orchestrator.Worker.Images.Build;

/// <summary>Temporary folders of builds: <c>build/NAME/{context,upper,work}</c>; all of them go when the daemon starts.</summary>
internal static class StageFolders
{
    internal static void Clear(string root)
    {
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
        Content.PrivateFolder.Make(root);
    }

    internal static string New(string root, string kind)
    {
        var path = Path.Combine(root, $"{kind}-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}");
        Directory.CreateDirectory(path);
        return path;
    }

    internal static void Delete(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
