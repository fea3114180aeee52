using Orchestrator.Shared.Streams;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>The next <c>length</c> bytes of another stream; an earlier end is an error, because the archive promised them.</summary>
internal sealed class BoundedStream(Stream source, long length) : ForwardStream
{
    private long _left = length;

    public override bool CanRead => true;
    public override long Length { get; } = length;

    public override long Position
    {
        get => Length - _left;
        set => throw new NotSupportedException();
    }

    internal static ImageException CutOff() => ImageException.Bad("the archive is cut off: it ends in the middle of an entry");

    public override int Read(Span<byte> buffer)
    {
        if (_left == 0 || buffer.Length == 0)
            return 0;
        var read = source.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        if (read == 0)
            throw CutOff();
        _left -= read;
        return read;
    }

    /// <summary>Reads over what is left.</summary>
    internal void Drain()
    {
        if (_left > 0 && source.CanSeek)
        {
            if (source.Length - source.Position < _left)
                throw CutOff();
            source.Seek(_left, SeekOrigin.Current);
            _left = 0;
        }
        Span<byte> buffer = stackalloc byte[4096];
        while (_left > 0)
            _ = Read(buffer);
    }
}
