using System.Text;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Bytes of a command as text for progress; a character cut between two reads comes whole with the second.</summary>
internal sealed class OutputText(Action<string> say)
{
    private readonly Decoder _stdout = Encoding.UTF8.GetDecoder();
    private readonly Decoder _stderr = Encoding.UTF8.GetDecoder();

    internal void Add(BuildStream stream, ReadOnlySpan<byte> bytes) => Add(stream == BuildStream.Stderr ? _stderr : _stdout, bytes, flush: false);

    internal void Finish()
    {
        Add(_stdout, [], flush: true);
        Add(_stderr, [], flush: true);
    }

    private void Add(Decoder decoder, ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> text = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length + 4)];
        var length = decoder.GetChars(bytes, text, flush);
        if (length > 0)
            say(new(text[..length]));
    }
}
