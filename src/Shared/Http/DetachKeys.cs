using System.Buffers;

namespace Orchestrator.Shared.Http;

/// <summary>
/// The keys by which a person leaves a terminal and lets its program run on: <c>ctrl-p,ctrl-q</c> unless told otherwise. A part of the
/// sequence is held back until it is clear that it is none.
/// </summary>
public sealed class DetachKeys
{
    public const string Default = "ctrl-p,ctrl-q";

    private readonly byte[] _sequence;
    private int _matched;

    private DetachKeys(byte[] sequence) => _sequence = sequence;

    /// <summary>Reads single characters and <c>ctrl-X</c> (X of a-z @ [ \ ] ^ _) with commas between; null or empty is the default.</summary>
    /// <returns>The keys, or null and what is wrong.</returns>
    public static (DetachKeys? Keys, string? Error) Parse(string? text)
    {
        var sequence = new List<byte>();
        foreach (var key in (string.IsNullOrEmpty(text) ? Default : text).Split(','))
        {
            if (Code(key) is not { } code)
                return (null, $"Invalid detach keys ({text}) provided: '{key}' is not a character or ctrl- and one of a-z @ [ \\ ] ^ _");
            sequence.Add(code);
        }

        return (new DetachKeys([.. sequence]), null);
    }

    /// <summary>Passes on what is not the sequence; true when it has been pressed, and what follows it is dropped.</summary>
    public bool Take(ReadOnlySpan<byte> typed, IBufferWriter<byte> through)
    {
        foreach (var key in typed)
        {
            // What was held back and is no beginning any more goes on, as much of it as cannot begin anew.
            while (_matched > 0 && key != _sequence[_matched])
            {
                var kept = Overlap(_matched);
                through.Write(_sequence.AsSpan(0, _matched - kept));
                _matched = kept;
            }

            if (key != _sequence[_matched])
                through.Write([key]);
            else if (++_matched == _sequence.Length)
                return true;
        }

        return false;
    }

    /// <summary>The longest proper ending of the first keys that is also a beginning.</summary>
    private int Overlap(int length)
    {
        for (var kept = length - 1; kept > 0; kept--)
        {
            if (_sequence.AsSpan(length - kept, kept).SequenceEqual(_sequence.AsSpan(0, kept)))
                return kept;
        }

        return 0;
    }

    private static byte? Code(string key) => key switch
    {
        [var one] when one < 128 => (byte)one,
        "DEL" => 127,
        ['c', 't', 'r', 'l', '-', var letter and >= 'a' and <= 'z'] => (byte)(letter - 'a' + 1),
        "ctrl-@" => 0,
        ['c', 't', 'r', 'l', '-', var other and >= '[' and <= '_'] => (byte)(other - '[' + 27),
        _ => null,
    };
}
