namespace Orchestrator.Worker.Images.Content;

/// <summary>
/// What running operations need although nothing on disk names it yet. Collection holds <see cref="Gate"/> while it looks and deletes, and an
/// operation pins under the same gate before it looks whether content is there.
/// </summary>
internal sealed class Pins
{
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    internal Lock Gate { get; } = new();

    internal Scope Open() => new(this);

    /// <summary>Call with <see cref="Gate"/> held.</summary>
    internal bool IsPinned(string digest) => _counts.ContainsKey(digest);

    /// <summary>The pins of one operation.</summary>
    internal sealed class Scope(Pins pins) : IDisposable
    {
        private readonly HashSet<string> _mine = new(StringComparer.Ordinal);

        internal void Add(string digest)
        {
            lock (pins.Gate)
            {
                if (_mine.Add(digest))
                    pins._counts[digest] = pins._counts.GetValueOrDefault(digest) + 1;
            }
        }

        public void Dispose()
        {
            lock (pins.Gate)
            {
                foreach (var digest in _mine)
                {
                    if (--pins._counts[digest] == 0)
                        pins._counts.Remove(digest);
                }
                _mine.Clear();
            }
        }
    }
}
