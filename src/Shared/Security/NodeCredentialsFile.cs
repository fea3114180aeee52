using System.Security.Cryptography;

namespace Orchestrator.Shared.Security;

/// <summary>
/// The credentials' files: <c>node.pem</c> (certificate, what lies between, key; 0600) and <c>ca.pem</c> (trusted roots). Each is replaced by
/// rename, the roots first when they grow, so that whatever instant a crash picks, what lies there belongs together.
/// </summary>
/// <param name="folder"><c>swarm/certificates</c> below the data root.</param>
public sealed class NodeCredentialsFile(string folder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string Folder { get; } = folder;

    private string NodePath => Path.Combine(Folder, "node.pem");

    private string RootsPath => Path.Combine(Folder, "ca.pem");

    /// <summary>Null when there is none.</summary>
    /// <exception cref="CryptographicException">The files are damaged; the message names them.</exception>
    public NodeCredentials? Read()
    {
        if (!File.Exists(NodePath) || !File.Exists(RootsPath))
            return null;
        try
        {
            return NodeCredentials.Parse(File.ReadAllText(NodePath), File.ReadAllText(RootsPath));
        }
        catch (CryptographicException damaged)
        {
            throw new CryptographicException($"the node's certificate in {Folder} can't be used: {damaged.Message}", damaged);
        }
    }

    public void Write(NodeCredentials credentials)
    {
        Directory.CreateDirectory(Folder, OwnerOnly | UnixFileMode.UserExecute);

        // First every root that either certificate needs: between the two renames the old certificate still lies here.
        var former = File.Exists(RootsPath) ? File.ReadAllText(RootsPath) : "";
        Replace(RootsPath, former.Contains(credentials.RootsPem, StringComparison.Ordinal) ? former : credentials.RootsPem + former, Everyone);
        Replace(NodePath, credentials.SecretPem(), OwnerOnly);
        Replace(RootsPath, credentials.RootsPem, Everyone);
    }

    private static void Replace(string path, string text, UnixFileMode mode)
    {
        var next = path + ".new";
        File.Delete(next);
        using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }
}
