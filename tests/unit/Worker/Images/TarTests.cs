using System.Formats.Tar;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;
using TarEntry = Orchestrator.Worker.Images.Archives.TarEntry;

namespace Orchestrator.Tests.Unit.Worker.Images;

public sealed class TarTests
{
    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        var entries =
            from name in Gen.Elements("a", "dir/ü", new string('n', 101), string.Join('/', Enumerable.Repeat("long-component", 20)))
            from kind in Gen.Elements(TarKind.Regular, TarKind.Symlink, TarKind.HardLink, TarKind.Fifo, TarKind.Character, TarKind.Directory)
            from mode in Gen.Choose(0, 0xfff)
            from uid in Gen.Elements(0u, 1000u, 2_097_151u, 2_097_152u, 4_294_967_294u)
            from seconds in Gen.Elements(0L, 1_700_000_000L, -5L, 8_589_934_591L, 8_589_934_592L)
            from nanoseconds in Gen.Choose(0, 999_999_999)
            from size in Gen.Elements(0, 1, 511, 512, 513, 5000)
            from value in Gen.ArrayOf(Gen.Choose(0, 255).Select(i => (byte)i))
            select new TarEntry
            {
                Name = name,
                Kind = kind,
                LinkName = kind is TarKind.Symlink or TarKind.HardLink ? new string('l', 150) : "",
                Mode = (uint)mode,
                Uid = uid,
                Gid = uid / 2,
                ModifiedSeconds = seconds,
                ModifiedNanoseconds = (uint)nanoseconds,
                Size = kind == TarKind.Regular ? size : 0,
                DeviceMajor = kind == TarKind.Character ? 8u : 0,
                DeviceMinor = kind == TarKind.Character ? 300u : 0,
                Xattrs = TarEntry.NoXattrs.Add("user.x", [.. value]),
            };
        Prop.ForAll(entries.ArrayOf().ToArbitrary(), wanted =>
        {
            using var bytes = new MemoryStream();
            var tar = new TarComposer(bytes);
            foreach (var entry in wanted)
                tar.Write(entry, new MemoryStream(Content(entry)));
            tar.Finish();
            bytes.Position = 0;
            var scanner = new TarScanner(bytes);
            foreach (var entry in wanted)
            {
                var read = scanner.Next()!;
                Assert.Equal(entry with { Xattrs = TarEntry.NoXattrs }, read with { Xattrs = TarEntry.NoXattrs });
                Assert.Equal(entry.Xattrs["user.x"], read.Xattrs["user.x"]);
                using var content = new MemoryStream();
                scanner.Content.CopyTo(content);
                Assert.Equal(Content(entry), content.ToArray());
            }
            Assert.Null(scanner.Next());
            Assert.True(scanner.SawEnd);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void An_archive_that_ends_with_its_last_content_is_read_and_said_to_have_no_end_marker()
    {
        using var bytes = new MemoryStream();
        new TarComposer(bytes).Write(new() { Name = "f", Kind = TarKind.Regular, Size = 5 }, new MemoryStream("hello"u8.ToArray()));
        bytes.SetLength(TarHeader.BlockSize + 5);
        bytes.Position = 0;
        var scanner = new TarScanner(bytes);
        Assert.Equal("f", scanner.Next()!.Name);
        using var content = new MemoryStream();
        scanner.Content.CopyTo(content);
        Assert.Equal("hello"u8.ToArray(), content.ToArray());
        Assert.Null(scanner.Next());
        Assert.False(scanner.SawEnd);
    }

    [Fact]
    public void An_archive_that_ends_within_a_content_is_cut_off()
    {
        using var bytes = new MemoryStream();
        new TarComposer(bytes).Write(new() { Name = "f", Kind = TarKind.Regular, Size = 5 }, new MemoryStream("hello"u8.ToArray()));
        bytes.SetLength(TarHeader.BlockSize + 4);
        bytes.Position = 0;
        var scanner = new TarScanner(bytes);
        scanner.Next();
        Assert.Throws<ImageException>(() => scanner.Next());
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Pax)]
    public void Archives_of_another_writer_are_read(TarEntryFormat format)
    {
        using var bytes = new MemoryStream();
        var name = format == TarEntryFormat.V7 ? "short" : format == TarEntryFormat.Ustar ? new string('d', 90) + "/" + new string('f', 90) : new string('x', 300);
        using (var writer = new TarWriter(bytes, format, leaveOpen: true))
        {
            System.Formats.Tar.TarEntry entry = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                _ => new PaxTarEntry(TarEntryType.RegularFile, name),
            };
            entry.DataStream = new MemoryStream("content"u8.ToArray());
            entry.Uid = 1234;
            entry.ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_600_000_000);
            writer.WriteEntry(entry);
        }
        bytes.Position = 0;
        var scanner = new TarScanner(bytes);
        var read = scanner.Next()!;
        Assert.Equal((name, 1234u, 7L, 1_600_000_000L), (read.Name, read.Uid, read.Size, read.ModifiedSeconds));
        Assert.Equal("content", new StreamReader(scanner.Content).ReadToEnd());
    }

    [Fact]
    public void Another_reader_reads_what_is_written()
    {
        using var bytes = new MemoryStream();
        var tar = new TarComposer(bytes);
        var name = string.Join('/', Enumerable.Repeat("ünïcödé", 20));
        tar.Write(new() { Name = name, Kind = TarKind.Regular, Size = 2, Uid = 5_000_000, ModifiedSeconds = 1_700_000_000, ModifiedNanoseconds = 500_000_000 }, new MemoryStream("hi"u8.ToArray()));
        tar.Finish();
        bytes.Position = 0;
        using var reader = new TarReader(bytes);
        var entry = reader.GetNextEntry()!;
        Assert.Equal((name, 5_000_000, 2L), (entry.Name, entry.Uid, entry.Length));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500), entry.ModificationTime);
        Assert.Null(reader.GetNextEntry());
    }

    [Fact]
    public void Damage_anywhere_is_an_image_exception_or_harmless()
    {
        using var bytes = new MemoryStream();
        var tar = new TarComposer(bytes);
        tar.Write(new() { Name = new string('n', 200), Kind = TarKind.Regular, Size = 3, Xattrs = TarEntry.NoXattrs.Add("user.x", [1, 2]) }, new MemoryStream([1, 2, 3]));
        tar.Finish();
        var good = bytes.ToArray();
        Prop.ForAll(Gen.Choose(0, good.Length - 1).Zip(Gen.Choose(0, 255)).ToArbitrary(), damage =>
        {
            var bad = (byte[])good.Clone();
            bad[damage.Item1] = (byte)damage.Item2;
            var scanner = new TarScanner(new MemoryStream(bad));
            try
            {
                while (scanner.Next() is not null)
                    scanner.Content.CopyTo(Stream.Null);
            }
            catch (ImageException e)
            {
                Assert.Equal(ImageFault.BadContent, e.Fault);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sparse_files_are_refused_in_a_sentence()
    {
        var block = new byte[1536];
        Encoding.ASCII.GetBytes("sparse").CopyTo(block, 0);
        block[156] = (byte)'S';
        TarHeader.PutChecksum(block.AsSpan(0, 512));
        var refusal = Assert.Throws<ImageException>(() => new TarScanner(new MemoryStream(block)).Next());
        Assert.Equal("the archive holds sparse as a sparse file, which is not supported; make the archive without --sparse", refusal.Message);
    }

    private static byte[] Content(TarEntry entry) => [.. Enumerable.Range(0, (int)entry.Size).Select(i => (byte)(i * 7))];
}
