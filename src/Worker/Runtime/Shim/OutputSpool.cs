using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// What was read of a container's output and is not in its log yet, in files beside its FIFOs: a shim that is killed loses none of it and its successor
/// writes none of it twice. Output goes from the FIFO into the spool within the kernel, then into the log, then the position is noted; the successor cuts
/// the log back to the position noted last and goes on from there.
/// </summary>
/// <remarks>
/// Files, not synced: it is the shim's death that they outlive, not the machine's. They are made at the first output and take 128 KiB a stream at most.
/// Where they cannot be written (the disk is full), output is read as if there were no spool.
/// </remarks>
internal sealed class OutputSpool(string directory, SpoolFrom source) : IDisposable
{
    private const int Reclaim = 64 * 1024;
    private const int StateSize = 4 * sizeof(long);

    private readonly Part[] parts = [new Part("stdout.spool"), new Part("stderr.spool")];
    private SafeFileHandle? state;
    private bool off;

    private string StatePath => Path.Combine(directory, "spool");

    /// <summary>As <see cref="Fifo.Read"/>, and what was read is safe.</summary>
    internal int Take(int number, SafeFileHandle fifo, Span<byte> buffer, LogPosition log)
    {
        if (off)
            return Fifo.Read(fifo, buffer);
        var part = parts[number];
        try
        {
            if (part.File is null)
                Open(part, log);
            if (source == SpoolFrom.Terminal)
                return Copy(part, fifo, buffer);
            var count = SpoolFile.Move(fifo, part.File!, part.Length, buffer.Length);
            if (count > 0)
                Fill(part, buffer[..count]);
            return count;
        }
        catch (IOException)
        {
            TurnOff();
            return Fifo.Read(fifo, buffer);
        }
    }

    /// <summary>Everything taken of the stream is in the log, which ends at the position, except the last bytes, which have no line end yet.</summary>
    internal void Commit(int number, int held, LogPosition log)
    {
        var part = parts[number];
        if (off || part.File is null)
            return;
        try
        {
            part.Done = part.Length - held;
            Note(log);
            if (held == 0 && part.Length > Reclaim)
            {
                RandomAccess.SetLength(part.File, 0); // a successor that finds it shorter than what is done finds nothing to do
                part.Length = part.Done = part.Dropped = 0;
                Note(log);
            }
            else if (part.Done - part.Dropped > Reclaim)
            {
                if (!SpoolFile.Drop(part.File, part.Done))
                    TurnOff();
                part.Dropped = part.Done;
            }
        }
        catch (IOException)
        {
            TurnOff();
        }
    }

    /// <summary>What a predecessor has left: where the log ended when it last noted it. Null: it has taken no output.</summary>
    internal LogPosition? Resume()
    {
        if (!File.Exists(StatePath))
            return null;
        try
        {
            state = SpoolFile.Open(StatePath);
            Span<byte> noted = stackalloc byte[StateSize];
            if (RandomAccess.Read(state, noted, 0) != StateSize)
                return null;
            for (var number = 0; number < parts.Length; number++)
                Resume(parts[number], BinaryPrimitives.ReadInt64LittleEndian(noted[(number * sizeof(long))..]));
            return new LogPosition(
                BinaryPrimitives.ReadInt64LittleEndian(noted[(2 * sizeof(long))..]), BinaryPrimitives.ReadUInt64LittleEndian(noted[(3 * sizeof(long))..]));
        }
        catch (IOException)
        {
            TurnOff();
            return null;
        }
    }

    /// <summary>After <see cref="Resume()"/>: what the predecessor had taken and not logged.</summary>
    internal byte[] Unlogged(int number)
    {
        var part = parts[number];
        if (off || part.File is null)
            return [];
        var rest = new byte[part.Length - part.Done];
        var length = RandomAccess.Read(part.File, rest, part.Done);
        return rest[..length];
    }

    public void Dispose()
    {
        state?.Dispose();
        foreach (var part in parts)
            part.File?.Dispose();
    }

    private void Open(Part part, LogPosition log)
    {
        part.File = SpoolFile.Open(Path.Combine(directory, part.Name));
        if (state is not null)
            return;
        state = SpoolFile.Open(StatePath);
        Note(log);
    }

    private void Resume(Part part, long done)
    {
        var path = Path.Combine(directory, part.Name);
        if (!File.Exists(path))
            return;
        part.File = SpoolFile.Open(path);
        part.Length = RandomAccess.GetLength(part.File);
        part.Done = done;
        if (part.Done > part.Length)
            part.Done = part.Length = 0;
        part.Dropped = part.Done;
    }

    /// <summary>A terminal's bytes do not move within the kernel: those of one read are lost when the shim is killed right after it.</summary>
    private int Copy(Part part, SafeFileHandle terminal, Span<byte> buffer)
    {
        var count = Fifo.Read(terminal, buffer);
        if (count <= 0)
            return count;
        try
        {
            RandomAccess.Write(part.File!, buffer[..count], part.Length);
            part.Length += count;
        }
        catch (IOException)
        {
            TurnOff();
        }
        return count;
    }

    private static void Fill(Part part, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(part.File!, buffer, part.Length);
            if (count == 0)
                throw new InvalidOperationException($"{part.Name} is shorter than what was written into it.");
            part.Length += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>One write within one page: a kill comes before it or after it.</summary>
    private void Note(LogPosition log)
    {
        Span<byte> noted = stackalloc byte[StateSize];
        BinaryPrimitives.WriteInt64LittleEndian(noted, parts[0].Done);
        BinaryPrimitives.WriteInt64LittleEndian(noted[sizeof(long)..], parts[1].Done);
        BinaryPrimitives.WriteInt64LittleEndian(noted[(2 * sizeof(long))..], log.Size);
        BinaryPrimitives.WriteUInt64LittleEndian(noted[(3 * sizeof(long))..], log.Inode);
        RandomAccess.Write(state!, noted, 0);
    }

    private void TurnOff()
    {
        off = true;
        Dispose();
        // The position first: without it a successor looks at nothing else.
        File.Delete(StatePath);
        foreach (var part in parts)
            File.Delete(Path.Combine(directory, part.Name));
    }

    private sealed class Part(string name)
    {
        internal string Name { get; } = name;

        internal SafeFileHandle? File { get; set; }

        internal long Length { get; set; }

        /// <summary>So many are in the log.</summary>
        internal long Done { get; set; }

        /// <summary>So many take no space any more.</summary>
        internal long Dropped { get; set; }
    }
}

/// <summary>What a container writes into.</summary>
internal enum SpoolFrom
{
    Fifos,
    Terminal,
}

/// <summary>A place in a log: how much of which file.</summary>
internal readonly record struct LogPosition(long Size, ulong Inode);
