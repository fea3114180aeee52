using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands;

public sealed class CommandLineTests
{
    private const string Service = """
        {"ID":"svc1svc1svc1svc1svc1svc1s","Version":{"Index":7},"Spec":{"Name":"hello_web","Labels":{"com.docker.stack.namespace":"hello"},
        "TaskTemplate":{"ContainerSpec":{"Image":"web:1"}},"Mode":{"Replicated":{"Replicas":1}}},
        "Endpoint":{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]},
        "ServiceStatus":{"RunningTasks":1,"DesiredTasks":1}}
        """;

    private static string Task(string state, string desired = "running", string error = "", int slot = 1, string id = "task1task1task1task1task1t") => $$$"""
        {"ID":"{{{id}}}","ServiceID":"svc1svc1svc1svc1svc1svc1s","Slot":{{{slot}}},"NodeID":"node1","DesiredState":"{{{desired}}}",
        "Spec":{"ContainerSpec":{"Image":"web:1"}},"Status":{"State":"{{{state}}}","Err":"{{{error}}}","Timestamp":"2020-01-01T00:00:00Z"}}
        """;

    [Fact]
    public async Task Services_are_listed_in_dockers_columns()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /services", $"[{Service}]");
        var ran = await engine.RunAsync("service", "ls", "--filter", "name=hello_web");
        Assert.Equal("""
            ID             NAME        MODE         REPLICAS   IMAGE     PORTS
            svc1svc1svc1   hello_web   replicated   1/1        web:1     *:8080->80/tcp

            """, ran.Out);
        Assert.Equal("""GET /services?status=true&filters={"name":["hello_web"]}""", engine.Calls[0].Call);
        Assert.Equal("svc1svc1svc1\n", (await engine.RunAsync("service", "ls", "-q")).Out);
        Assert.Equal("hello_web is HELLO_WEB\n", (await engine.RunAsync("service", "ls", "--format", "{{.Name}} is {{upper .Name}}")).Out);
        Assert.StartsWith("""{"ID":"svc1svc1svc1",""", (await engine.RunAsync("service", "ls", "--format", "json")).Out, StringComparison.Ordinal);
        Assert.Equal("NAME        REPLICAS\nhello_web   1/1\n", (await engine.RunAsync("service", "ls", "--format", """table {{.Name}}\t{{.Replicas}}""")).Out);
    }

    [Fact]
    public async Task A_field_that_does_not_exist_is_named_with_its_place()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /services", $"[{Service}]");
        var ran = await engine.RunAsync("service", "ls", "--format", "{{.Nmae}}");
        Assert.Equal(1, ran.Code);
        Assert.StartsWith("template: column 3: there is no field 'Nmae'; known are ", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_after_the_image_belong_to_the_container()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /services/create", """{"ID":"new"}""", 201);
        var ran = await engine.RunAsync("service", "create", "-d", "--name", "x", "-p", "8080:80", "--limit-memory", "64m", "-e", "A=b", "busybox", "sh", "-c", "echo -e x");
        Assert.Equal((0, "new\n"), (ran.Code, ran.Out));
        var spec = ModelJson.Read<ServiceSpec>(Encoding.UTF8.GetBytes(engine.Calls[0].Body));
        Assert.Equal(["sh", "-c", "echo -e x"], spec.TaskTemplate.ContainerSpec!.Args);
        Assert.Equal(["A=b"], spec.TaskTemplate.ContainerSpec.Env);
        Assert.Equal(64 << 20, spec.TaskTemplate.Resources!.Limits!.MemoryBytes);
        Assert.Equal(8080, spec.EndpointSpec!.Ports[0].PublishedPort);
    }

    [Fact]
    public async Task A_deploy_sends_the_whole_stack_at_once_and_waits_until_it_runs()
    {
        await using var engine = await FakeEngine.StartAsync();
        var looks = 0;
        engine.On("GET /services", $"[{Service}]")
            .On("PUT /orch/stacks/hello", """{"Changes":[{"Kind":"network","Name":"hello_default","Id":"n","Action":"created"},{"Kind":"service","Name":"hello_web","Id":"svc1svc1svc1svc1svc1svc1s","Action":"created"}]}""")
            .On("GET /tasks", async (http, _) => await http.Response.WriteAsync(looks++ switch { 0 => "[]", 1 => $"[{Task("preparing")}]", _ => $"[{Task("running")}]" }));
        var ran = await Run.OrchAsync(["-H", "unix://" + engine.Socket, "stack", "deploy", "-c", "-", "hello"], input: "services: {web: {image: 'web:1'}}");
        Assert.Equal("""
            Creating network hello_default
            Creating service hello_web
            hello_web  0/1 running, preparing
            hello_web  1/1 running

            """, ran.Out);
        Assert.Equal(0, ran.Code);
    }

    [Fact]
    public async Task A_deploy_whose_task_fails_for_good_ends_with_its_reason()
    {
        await using var engine = await FakeEngine.StartAsync();
        var looks = 0;
        engine.On("GET /services", $"[{Service.Replace("\"ContainerSpec\"", "\"RestartPolicy\":{\"Condition\":\"none\"},\"ContainerSpec\"", StringComparison.Ordinal)}]")
            .On("PUT /orch/stacks/hello", """{"Changes":[{"Kind":"service","Name":"hello_web","Id":"svc1svc1svc1svc1svc1svc1s","Action":"created"}]}""")
            .On("GET /tasks", async (http, _) => await http.Response.WriteAsync(looks++ == 0 ? "[]" : $"[{Task("failed", "shutdown", "task: non-zero exit (1)")}]"));
        var ran = await Run.OrchAsync(["-H", "unix://" + engine.Socket, "stack", "deploy", "-c", "-", "hello"], input: "services: {web: {image: 'web:1'}}");
        Assert.Equal((1, "hello_web.1: task: non-zero exit (1)\n"), (ran.Code, ran.Error));
    }

    [Fact]
    public async Task A_file_with_problems_sends_nothing()
    {
        await using var engine = await FakeEngine.StartAsync();
        var ran = await Run.OrchAsync(["-H", "unix://" + engine.Socket, "stack", "deploy", "-c", "-", "x"], input: "services:\n  a: {imagee: x}\n  b: {image: y, ports: [zzz]}\n");
        Assert.Equal(1, ran.Code);
        Assert.Equal("stdin:2:7: unknown key 'imagee' in services.a, did you mean 'image'?\nstdin:3:25: services.b.ports: 'zzz' is not a port: a port is a whole number from 1 to 65535\n", ran.Error);
        Assert.Empty(engine.Calls);
    }

    [Fact]
    public async Task Every_problem_of_a_refused_stack_is_told()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /tasks", "[]").On("GET /services", "[]").On("PUT /orch/stacks/x", """{"message":"two problems","Problems":[{"Where":"a","Message":"one"},{"Where":"b","Message":"two"}]}""", 400);
        var ran = await Run.OrchAsync(["-H", "unix://" + engine.Socket, "stack", "deploy", "-c", "-", "x"], input: "services: {a: {image: y}}");
        Assert.Equal((1, "a: one\nb: two\n"), (ran.Code, ran.Error));
    }

    [Fact]
    public async Task Logs_go_where_they_came_from()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /containers/c/logs", async (http, _) =>
        {
            http.Response.ContentType = "application/vnd.docker.multiplexed-stream";
            foreach (var (kind, text) in new[] { (1, "out\n"), (2, "err\n"), (1, "more\n") })
            {
                var header = new byte[8];
                header[0] = (byte)kind;
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), text.Length);
                await http.Response.Body.WriteAsync(header);
                await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text));
            }
        });
        var ran = await engine.RunAsync("logs", "--tail", "10", "c");
        Assert.Equal((0, "out\nmore\n", "err\n"), (ran.Code, ran.Out, ran.Error));
        Assert.Contains("tail=10", engine.Calls[0].Call, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_value_after_an_equals_sign_is_a_value_and_a_switch_takes_dockers_booleans()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /containers/create", """{"Id":"new"}""", 201);
        var ran = await engine.RunAsync("create", "--entrypoint=", "--hostname=", "--rm=1", "--tty=F", "--init=TRUE", "-e=A=b=c", "--env=B=", "busybox", "ls", "--name=");
        Assert.Equal((0, "new\n", ""), (ran.Code, ran.Out, ran.Error));
        var made = ModelJson.Read<ContainerCreateRequest>(Encoding.UTF8.GetBytes(engine.Calls[0].Body));
        Assert.Equal([""], made.Entrypoint);
        Assert.Equal(["ls", "--name="], made.Cmd);
        Assert.Equal(["A=b=c", "B="], made.Env);
        Assert.Equal((true, false, true), (made.HostConfig!.AutoRemove, made.Tty, made.HostConfig.Init));
    }

    [Fact]
    public async Task Values_in_a_file_of_variables_are_taken_as_they_stand()
    {
        var file = Path.GetTempFileName();
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /containers/create", """{"Id":"new"}""", 201);
        try
        {
            await File.WriteAllTextAsync(file, "# comment\n\n  A=\"x y\"\nB=$HOME\nC=a #b\nD=\nE = no\n");
            Assert.Equal((1, $"{file}:7: variable 'E ' contains whitespace: write NAME=VALUE without blanks around the name\n"), await Outcome());
            await File.WriteAllTextAsync(file, "# comment\n\n  A=\"x y\"\nB=$HOME\nC=a #b\nD=\n");
            Assert.Equal((0, ""), await Outcome());
            Assert.Equal(["A=\"x y\"", "B=$HOME", "C=a #b", "D="], ModelJson.Read<ContainerCreateRequest>(Encoding.UTF8.GetBytes(engine.Calls[^1].Body)).Env);
        }
        finally
        {
            File.Delete(file);
        }

        async Task<(int, string)> Outcome()
        {
            var ran = await engine.RunAsync("create", "--env-file", file, "busybox");
            return (ran.Code, ran.Error);
        }
    }

    [Fact]
    public async Task A_daemon_that_is_not_there_is_told_with_the_socket_and_who_chose_it()
    {
        var ran = await Run.OrchAsync(["ps"], environment: ("ORCH_HOST", "unix:///nowhere/orch.sock"));
        Assert.Equal(
            (1, "Cannot connect to the orch daemon at unix:///nowhere/orch.sock. Start one: sudo orch daemon (ORCH_HOST names this socket)\n"),
            (ran.Code, ran.Error));
        Assert.Contains("needs a certificate of yours and the daemon's CA", (await Run.OrchAsync(["ps"], environment: ("DOCKER_HOST", "tcp://1.2.3.4:2375"))).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "orch: unknown command: orch servce, did you mean 'service'?", "servce", "ls")]
    [InlineData(1, "orch: unknown command: orch service lss, did you mean 'ls'?", "service", "lss")]
    [InlineData(125, "unknown flag: --foo", "service", "ls", "--foo")]
    [InlineData(125, "unknown flag: --foo", "service", "rm", "--foo", "x")]
    [InlineData(125, "unknown flag: --replica, did you mean --replicas?", "service", "create", "--replica", "3", "busybox")]
    [InlineData(1, "orch: 'orch service rm' requires at least 1 argument", "service", "rm")]
    [InlineData(1, "orch: 'orch service create' requires at least 1 argument", "service", "create")]
    [InlineData(1, "orch: 'orch service ls' accepts no arguments", "service", "ls", "x")]
    [InlineData(1, "orch: unknown command: orch manifest", "manifest", "inspect", "x")]
    [InlineData(1, "orch: unknown command: orch login, did you mean 'logs'?", "login", "-u", "me")]
    [InlineData(1, "orch: unknown command: orch image frob", "image", "frob", "-x")]
    [InlineData(125, "flag needs an argument: --name", "run", "--name")]
    [InlineData(125, "flag needs an argument: -itp", "run", "-itp")]
    [InlineData(125, "invalid argument 'maybe' for --privileged: it is a switch, so write true or false", "run", "--privileged=maybe", "busybox")]
    [InlineData(125, "invalid argument '' for --force: it is a switch, so write true or false", "rm", "c", "--force=")]
    [InlineData(1, "invalid value 'soon' for --timeout: it must be a whole number", "stop", "-t", "soon", "c")]
    public async Task Wrong_usage_is_told_with_a_hint(int code, string firstLine, params string[] args)
    {
        var ran = await Run.OrchAsync(args);
        Assert.Equal((code, firstLine), (ran.Code, ran.Error.Split('\n')[0]));
        Assert.Contains("--help' for more information", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flags_that_come_later_are_refused_together_and_say_why()
    {
        var create = await Run.OrchAsync(["service", "create", "--generic-resource", "s", "--with-registry-auth", "busybox"]);
        Assert.Equal(
            (1, """
            --generic-resource does not work yet: generic resources come with a later version
            --with-registry-auth does not work yet: registries come with a later version

            """),
            (create.Code, create.Error));
        Assert.Equal(
            "max-concurrent can only be used with replicated-job mode\n",
            (await Run.OrchAsync(["service", "create", "--max-concurrent", "2", "busybox"])).Error);
        Assert.Equal(
            "replicas can only be used with replicated or replicated-job mode\n",
            (await Run.OrchAsync(["service", "create", "--mode", "global-job", "--replicas", "2", "busybox"])).Error);
    }

    [Fact]
    public async Task A_word_that_looks_like_a_flag_may_follow_two_dashes()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("DELETE /services/-x", "", 200);
        Assert.Equal((0, "-x\n"), await Outcome(engine, "service", "rm", "--", "-x"));

        static async Task<(int, string)> Outcome(FakeEngine engine, params string[] args)
        {
            var ran = await engine.RunAsync(args);
            return (ran.Code, ran.Out);
        }
    }

    [Fact]
    public void The_version_is_the_assemblys() => Assert.Equal(
        Orchestrator.Cli.Program.Version,
        System.Reflection.CustomAttributeExtensions.GetCustomAttribute<System.Reflection.AssemblyInformationalVersionAttribute>(
            typeof(Orchestrator.Cli.Program).Assembly)?.InformationalVersion);

    [Fact]
    public async Task Every_command_can_tell_its_usage()
    {
        var root = await Run.OrchAsync(["--help"]);
        Assert.Equal(0, root.Code);
        foreach (var name in Orchestrator.Cli.Commands.CommandTable.Names)
        {
            Assert.Contains($"  {name}", root.Out, StringComparison.Ordinal);
            var help = await Run.OrchAsync([name, "--help"]);
            Assert.True(help.Code == 0 && help.Out.Contains("Usage:", StringComparison.Ordinal), $"{name}: {help.Error}");
        }
    }

    [Fact]
    public async Task A_failure_that_came_without_words_is_asked_for_again()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("HEAD /containers/web/archive", "", 500).On("GET /containers/web/archive", """{"message":"the layer of web is damaged"}""", 500);
        var ran = await engine.RunAsync("cp", "/etc/hostname", "web:/etc");
        Assert.Equal((1, "Error response from daemon: the layer of web is damaged\n"), (ran.Code, ran.Error));
    }

    [Fact]
    public async Task The_words_of_a_command_are_not_taken_for_commands_of_ours()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /containers/web/exec", """{"message":"no such container: web"}""", 404);
        var ran = await engine.RunAsync("exec", "web", "ps");
        Assert.Equal((1, "Error response from daemon: no such container: web\n"), (ran.Code, ran.Error));
    }

    [Fact]
    public async Task A_failure_of_one_name_does_not_stop_the_others()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("DELETE /services/b", "", 200);
        var ran = await engine.RunAsync("service", "rm", "a", "b");
        Assert.Equal((1, "b\n"), (ran.Code, ran.Out));
        Assert.StartsWith("Error response from daemon: page not found", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scaling_sends_the_spec_of_the_version_that_was_read()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("GET /services/hello_web", Service).On("GET /services", "[]").On("GET /tasks", "[]").On("POST /services/svc1svc1svc1svc1svc1svc1s/update", "{}");
        var ran = await engine.RunAsync("service", "scale", "-d", "hello_web=5");
        Assert.Equal((0, "hello_web scaled to 5\n"), (ran.Code, ran.Out));
        var (call, body) = engine.Calls[^1];
        Assert.EndsWith("?version=7", call, StringComparison.Ordinal);
        Assert.Equal(5UL, ModelJson.Read<ServiceSpec>(Encoding.UTF8.GetBytes(body)).Mode.Replicated!.Replicas);
    }

    [Fact]
    public async Task A_failed_build_ends_with_the_daemons_words()
    {
        await using var engine = await FakeEngine.StartAsync();
        var folder = Directory.CreateTempSubdirectory("orch-build-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Dockerfile"), "FROM scratch\n");
            engine.On("POST /build", """{"stream":"Step 1/1\n"}{"errorDetail":{"message":"no such image"},"error":"no such image"}""");
            var ran = await engine.RunAsync("build", "-t", "x", folder);
            Assert.Equal((1, "Step 1/1\n", "no such image\n"), (ran.Code, ran.Out, ran.Error));
            Assert.Contains("FROM scratch", engine.Calls[0].Body, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
