using System.Text.Json;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>A person at a terminal: starts a client under a pseudo terminal, waits for words, types, changes the window.</summary>
internal static class Terminal
{
    private const string Driver = """
        import fcntl, json, os, pty, select, signal, struct, sys, termios, time
        command, steps = json.loads(sys.argv[1]), json.loads(sys.argv[2])
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 101, 0, 0))
            os.execvp(command[0], command)
        seen = b''
        def hear(limit):
            global seen
            ready, _, _ = select.select([fd], [], [], limit)
            if not ready:
                return True
            try:
                piece = os.read(fd, 65536)
            except OSError:
                piece = b''
            seen += piece
            return len(piece) > 0
        def fail(why):
            os.kill(pid, signal.SIGKILL)
            print(why, seen.decode(errors='replace'))
            sys.exit(99)
        at = 0
        # The stock client takes the signal of a window that changes only after its program has begun: one that comes before is lost to it.
        again = 1 if os.path.basename(command[0]) == 'docker' else 60
        resized = False
        for kind, value in steps:
            if kind == 'expect':
                until = time.monotonic() + 60
                while value.encode() not in seen[at:]:
                    if time.monotonic() > until:
                        fail('never came: ' + value)
                    if not hear(min(again, max(0, until - time.monotonic()))):
                        fail('ended before: ' + value)
                    if resized and again == 1 and value.encode() not in seen[at:]:
                        os.kill(pid, signal.SIGWINCH)
                at = seen.index(value.encode(), at) + len(value.encode())
            elif kind == 'type':
                os.write(fd, value.encode())
            else:
                resized = True
                rows, columns = value
                fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
        until = time.monotonic() + 60
        while hear(max(0, until - time.monotonic())):
            if time.monotonic() > until:
                fail('the client did not end')
        print(seen.decode(errors='replace'))
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """;

    internal static (string, object) Expect(string words) => ("expect", words);

    internal static (string, object) Type(string keys) => ("type", keys);

    internal static (string, object) Resize(int rows, int columns) => ("resize", new[] { rows, columns });

    /// <summary>What was on the screen, and the client's exit code.</summary>
    internal static Task<Ran> RunAsync(IReadOnlyList<string> command, params (string Kind, object Value)[] steps)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3 for a pseudo terminal");
        return Shell.RunAsync("python3", ["-c", Driver, JsonSerializer.Serialize(command), JsonSerializer.Serialize(steps.Select(s => new[] { s.Kind, s.Value }))]);
    }
}
