namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Finds where the last lines of a log begin, reading backwards by blocks and no more than needed.</summary>
internal static class LogTail
{
    private const int Block = 64 << 10;

    /// <summary>
    /// The offset in <paramref name="file"/> from which it holds <paramref name="lines"/> whole lines, or 0 and how many of them are still
    /// wanted from the files before.
    /// </summary>
    internal static (long Offset, int Missing) Find(Stream file, int lines, LogCodec codec)
    {
        if (lines == 0)
            return (file.Length, 0);
        var found = 0;
        var end = file.Length;           // of the line that is looked at
        var position = end;
        var pending = Array.Empty<byte>(); // the beginning of a line whose rest lies before it
        var buffer = new byte[Block];
        while (position > 0)
        {
            var take = (int)Math.Min(Block, position);
            position -= take;
            file.Position = position;
            file.ReadExactly(buffer, 0, take);
            byte[] window = [.. buffer.AsSpan(0, take), .. pending];
            var right = (int)(end - position);
            while (right > 0)
            {
                // The newline at right - 1 ends this line; the one before it ends the line before.
                var left = window.AsSpan(0, right - 1).LastIndexOf((byte)'\n') + 1;
                if (left == 0 && position > 0)
                    break;
                if (codec.EndsLine(window.AsSpan(left, right - left)))
                {
                    if (found == lines)
                        return (position + right, 0);
                    found++;
                }

                right = left;
            }

            end = position + right;
            pending = window[..right];
        }

        return (0, lines - found);
    }
}
