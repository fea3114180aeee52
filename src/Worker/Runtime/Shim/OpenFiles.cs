using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Descriptors by the names that launch steps use; those it owns are closed with it.</summary>
internal sealed class OpenFiles : IDisposable
{
    private readonly Dictionary<string, int> numbers = [];
    private readonly List<SafeFileHandle> owned = [];

    /// <summary>Valid until disposed, while borrowed handles are open.</summary>
    internal IReadOnlyDictionary<string, int> Numbers => numbers;

    internal void Own(string name, SafeFileHandle file)
    {
        owned.Add(file);
        Borrow(name, file);
    }

    internal void Borrow(string name, SafeFileHandle file) => numbers.Add(name, (int)file.DangerousGetHandle());

    public void Dispose()
    {
        foreach (var file in owned)
            file.Dispose();
    }
}
