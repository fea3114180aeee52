using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Build;

namespace Orchestrator.Tests.Integration.Images;

public sealed class BuildTests
{
    [Fact]
    public async Task A_build_runs_its_steps_and_the_second_one_uses_the_cache()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Busybox());
        var runner = new ChrootRunner();
        const string text = """
            FROM busybox
            ENV GREETING=hello WHO="the world"
            WORKDIR /srv/site
            COPY index.html .
            RUN echo "$GREETING, $WHO" > made && rm /etc/group && echo done
            EXPOSE 80 53/udp
            CMD ["httpd", "-f"]
            """;
        var request = new BuildRequest { Context = Stream.Null, Tags = ["site:1", "other/site"], Labels = BuildLabels("team", "web") };
        var first = await store.BuildAsync(text, runner, request, TestImages.TextFile("index.html", "<h1>hi</h1>"));
        Assert.Contains("Step 5/7 : RUN echo \"$GREETING, $WHO\" > made && rm /etc/group && echo done\n ---> Running in ", store.Text);
        Assert.Contains("done\n", store.Text);
        Assert.EndsWith($"Successfully built {ImageIds.Short(first)}\nSuccessfully tagged site:1\nSuccessfully tagged other/site:latest\n", store.Text);
        Assert.Equal(first, store.Said.Single(m => m.Aux is not null).Aux!.Id);
        Assert.DoesNotContain("Using cache", store.Text);

        var second = await store.BuildAsync(text, runner, request, TestImages.TextFile("index.html", "<h1>hi</h1>"));
        Assert.Equal(first, second);
        Assert.Equal(1, runner.Runs);
        Assert.Equal(6, store.Text.Split(" ---> Using cache\n").Length - 1);

        Assert.Equal("hello, the world\n<h1>hi</h1>", await store.InOverlayAsync("site:1", "cat $M/srv/site/made $M/srv/site/index.html; test ! -e $M/etc/group; test -e $M/etc/passwd"));
        var record = await store.Store.InspectAsync("other/site", default);
        Assert.Equal(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GREETING=hello", "WHO=the world"], record.Config.Env!);
        Assert.Equal(["httpd", "-f"], record.Config.Cmd!);
        Assert.Equal("/srv/site", record.Config.WorkingDir);
        Assert.Equal(["53/udp", "80/tcp"], record.Config.ExposedPorts!.Keys);
        Assert.Equal("web", record.Config.Labels!["team"]);
        Assert.Equal(4, record.DiffIds.Length);
        var history = await store.Store.HistoryAsync("site:1", default);
        Assert.Equal("/bin/sh -c #(nop) CMD [\"httpd\", \"-f\"]", history[0].CreatedBy);
        Assert.Equal(7, history.Length);
    }

    [Fact]
    public async Task Changed_content_or_an_earlier_step_makes_later_steps_run_again()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Busybox());
        var runner = new ChrootRunner();
        const string text = "FROM busybox\nCOPY a /a\nRUN cat /a > /b\n";
        await store.BuildAsync(text, runner, null, TestImages.TextFile("a", "1"));
        var touched = TestImages.TextFile("a", "1");
        await store.BuildAsync(text, runner, null, touched with { Entry = touched.Entry with { ModifiedSeconds = 1_600_000_000 } });
        Assert.Equal(1, runner.Runs);
        await store.BuildAsync(text, runner, null, TestImages.TextFile("a", "2"));
        Assert.Equal(2, runner.Runs);
        await store.BuildAsync(text, runner, null, TestImages.TextFile("a", "2", "755"));
        Assert.Equal(3, runner.Runs);
        await store.BuildAsync(text.Replace("RUN", "ENV X=y\nRUN", StringComparison.Ordinal), runner, null, TestImages.TextFile("a", "2"));
        Assert.Equal(4, runner.Runs);
        await store.BuildAsync(text, runner, new() { Context = Stream.Null, NoCache = true }, TestImages.TextFile("a", "2"));
        Assert.Equal(5, runner.Runs);
        Assert.Empty(await store.RestartAsync());
        await store.BuildAsync(text, runner, null, TestImages.TextFile("a", "2"));
        Assert.Equal(5, runner.Runs);
    }

    [Fact]
    public async Task Stages_copy_from_each_other_and_a_target_stops_early()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Busybox());
        var runner = new ChrootRunner();
        const string text = """
            ARG BASE=busybox
            FROM ${BASE}:latest AS build
            ARG FLAVOUR=plain
            RUN mkdir -p /out/bin && echo "$FLAVOUR" > /out/bin/tool && ln -s tool /out/bin/link
            FROM scratch AS final
            COPY --from=build --chown=5:6 --chmod=0750 /out /
            COPY --from=busybox /bin/busybox /bin/
            FROM build
            RUN false
            """;
        await store.BuildAsync(text, runner, new() { Context = Stream.Null, Tags = ["f"], Target = "FINAL", BuildArgs = Args("FLAVOUR", "sweet") });
        var listing = await store.InOverlayAsync("f", "cd $M; cat bin/tool; stat -c '%n %A %u:%g %F' bin bin/tool bin/link bin/busybox");
        Assert.Equal("sweet\nbin drwxr-x--- 5:6 directory\nbin/tool -rwxr-x--- 5:6 regular file\nbin/link lrwxrwxrwx 5:6 symbolic link\nbin/busybox -rwxr-xr-x 0:0 regular file\n", listing);
        var failure = await Assert.ThrowsAsync<ImageException>(() => store.BuildAsync(text, runner));
        Assert.Equal("The command '/bin/sh -c false' returned a non-zero code: 1", failure.Message);
        Assert.Empty(store.Files("build"));
    }

    [Fact]
    public async Task Copy_places_files_and_folders_as_docker_does()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Archive("base", new() { WorkingDir = "/work" },
            [TestImages.Folder("real", "700"), TestImages.Symlink("link", "/real"), TestImages.Folder("etc"), TestImages.TextFile("etc/passwd", "web:x:12:34::/:\n"), TestImages.TextFile("etc/group", "staff:x:50:\n")]));
        var runner = new ChrootRunner();
        await store.BuildAsync(
            """
            FROM base
            COPY a.txt renamed
            COPY a.txt into/
            COPY *.txt many/
            COPY tree whole
            COPY tree/sub/ /link
            COPY --chown=web:staff a.txt /owned/
            COPY ["b space.txt", "/x y/"]
            ADD pack.tar /unpacked
            """,
            runner, new() { Context = Stream.Null, Tags = ["c"] },
            TestImages.TextFile("a.txt", "a"), TestImages.TextFile("b space.txt", "b"), TestImages.Folder("tree"), TestImages.Folder("tree/sub", "711"), TestImages.TextFile("tree/sub/deep", "d", "600"),
            TestImages.TextFile("tree/skip.log", "no"), TestImages.TextFile("tree/keep.log", "yes"), TestImages.TextFile(".dockerignore", "**/*.log\n!tree/keep.log\n"),
            TestImages.BinaryFile("pack.tar", TestImages.Tar([TestImages.TextFile("in/side", "packed"), (new() { Name = "in/hard", Kind = TarKind.HardLink, LinkName = "in/side" }, [])])));
        Assert.Equal(
            """
            etc 755 0:0
            etc/group 644 0:0
            etc/passwd 644 0:0
            link 777 0:0
            owned 755 12:50
            owned/a.txt 644 12:50
            real 700 0:0
            real/deep 600 0:0
            unpacked 755 0:0
            unpacked/in 755 0:0
            unpacked/in/hard 644 0:0
            unpacked/in/side 644 0:0
            work 755 0:0
            work/into 755 0:0
            work/into/a.txt 644 0:0
            work/many 755 0:0
            work/many/a.txt 644 0:0
            work/many/b space.txt 644 0:0
            work/renamed 644 0:0
            work/whole 755 0:0
            work/whole/keep.log 644 0:0
            work/whole/sub 711 0:0
            work/whole/sub/deep 600 0:0
            x y 755 0:0
            x y/b space.txt 644 0:0

            """,
            await store.InOverlayAsync("c", "cd $M; find . -mindepth 1 -printf '%P %m %U:%G\\n' | LC_ALL=C sort"));
    }

    [Fact]
    public async Task The_whole_context_copies_into_the_working_directory()
    {
        using var store = await StoreFixture.StartAsync();
        await store.BuildAsync(
            "FROM scratch\nWORKDIR /app\nCOPY . .\nCOPY alias /names/\n", new ChrootRunner(), new() { Context = Stream.Null, Tags = ["w"] },
            TestImages.Folder("src"), TestImages.TextFile("src/main", "m"), TestImages.Symlink("alias", "src/main"), TestImages.TextFile("secret.key", "s"), TestImages.TextFile(".dockerignore", "*.key\nDockerfile\n.dockerignore\n"));
        Assert.Equal(
            "app\napp/alias -> src/main\napp/src\napp/src/main\nnames\nnames/alias\n",
            await store.InOverlayAsync("w", "cd $M; find . -mindepth 1 \\( -type l -printf '%P -> %l\\n' -o -printf '%P\\n' \\) | LC_ALL=C sort"));
    }

    [Fact]
    public async Task An_upper_directory_that_is_not_the_whole_difference_is_refused()
    {
        using var folder = new ScratchFolder();
        if (Environment.UserName != "root")
            Assert.Skip("trusted extended attributes need root");
        Directory.CreateDirectory(folder.At("moved"));
        Orchestrator.Worker.Linux.ExtendedAttributes.Set(folder.At("moved"), "trusted.overlay.redirect", "/old"u8);
        var refusal = Assert.Throws<IOException>(() => Orchestrator.Worker.Images.Unpack.LayerTar.Write(folder.Path, Stream.Null, default));
        Assert.Equal("moved carries trusted.overlay.redirect: the overlay must be mounted with redirect_dir=off,metacopy=off to become a layer", refusal.Message);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task What_is_missing_is_named_and_nothing_is_made()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Busybox());
        var blobs = store.Files("content/blobs/sha256");
        await Refused("FROM nowhere\n", "Dockerfile:1: no such image: nowhere (this host has none of that name; load, import or build it first)");
        await Refused("FROM busybox\nCOPY missing /\n", "COPY failed: file not found in build context or excluded by .dockerignore: stat missing: file does not exist");
        await Refused("FROM busybox\nCOPY ../up /\n", "COPY failed: forbidden path outside the build context: ../up");
        await Refused("FROM busybox\nCOPY --chown=ghost Dockerfile /\n", "--chown: the image has no user \"ghost\" in /etc/passwd");
        await Refused("FROM busybox\nCOPPY a b\nRUN --mount=type=bind x\nEXPOSE 99999\n",
            "Dockerfile:2: unknown instruction: COPPY (did you mean COPY?)\nDockerfile:3: RUN --mount is not supported yet\nDockerfile:4: invalid port: 99999 (a number from 1 to 65535 or a range, with /tcp, /udp or /sctp)");
        Assert.Equal(blobs, store.Files("content/blobs/sha256"));

        async Task Refused(string text, string message)
        {
            var refusal = await Assert.ThrowsAsync<ImageException>(() => store.BuildAsync(text, new ChrootRunner()));
            Assert.Equal(message, refusal.Message);
        }
    }

    [Fact]
    public async Task Hard_links_opaque_folders_and_special_files_survive_a_run_step()
    {
        using var store = await StoreFixture.StartAsync();
        await store.LoadAsync(TestImages.Busybox());
        await store.BuildAsync(
            """
            FROM busybox
            RUN mkdir /d && echo 1 > /d/one && echo 2 > /d/two
            RUN rm -r /d && mkdir /d && echo 3 > /d/three && ln /d/three /d/same && mkfifo /d/pipe && mknod /d/zero c 1 5 && chmod 6711 /d/three && rm /bin/vi
            """,
            new ChrootRunner(), new() { Context = Stream.Null, Tags = ["h"] });
        Assert.Equal(
            "pipe prw-r--r-- 1\nsame -rws--s--x 2\nthree -rws--s--x 2\nzero crw-r--r-- 1\n",
            await store.InOverlayAsync("h", "test ! -e $M/bin/vi; test -e $M/bin/ls; cd $M/d; LC_ALL=C stat -c '%n %A %h' *"));
    }

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, string> BuildLabels(string key, string value) =>
        System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add(key, value);

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, string?> Args(string key, string? value) =>
        System.Collections.Immutable.ImmutableSortedDictionary<string, string?>.Empty.Add(key, value);
}
