using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class TaskContainersTests
{
    private static readonly ServiceTask[] Tasks =
    [
        Of('a', "web", 1, new string('1', 64), TaskState.Shutdown, TaskState.Shutdown, 1),
        Of('b', "web", 1, "abcd" + new string('2', 60), TaskState.Running, TaskState.Running, 2),
        Of('c', "web", 2, "abcd" + new string('3', 60), TaskState.Running, TaskState.Running, 3),
        Of('d', "db", 1, "", TaskState.Running, TaskState.Pending, 4) with { Status = new() { State = TaskState.Pending, Err = "no suitable node (2 nodes not available)" } },
        Of('e', "up", 1, new string('5', 64), TaskState.Running, TaskState.Running, 5),
        Of('f', "up", 1, new string('6', 64), TaskState.Running, TaskState.Running, 6),
        Of('g', "all", 0, new string('7', 64), TaskState.Running, TaskState.Running, 7),
        Of('h', "web", 3, new string('8', 64), TaskState.Shutdown, TaskState.Failed, 8),
        Of('i', "web", 3, new string('9', 64), TaskState.Shutdown, TaskState.Failed, 9),
    ];

    private static readonly ClusterState State = ClusterState.Empty with { Tasks = ClusterState.Empty.Tasks.AddRange(Tasks.Select(t => KeyValuePair.Create(t.Id, t))) };

    private static string Id(char letter) => new(letter, 25);

    private static ServiceTask Of(char id, string service, int slot, string container, TaskState wanted, TaskState state, int second) => new()
    {
        Id = new(Id(id)), Spec = new(), ServiceName = service, Slot = slot, NodeId = new("node"), DesiredState = wanted, CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(second),
        Status = new() { State = state, ContainerStatus = container.Length == 0 ? null : new() { ContainerId = container } },
    };

    private static char? Find(string reference, TaskNaming naming = TaskNaming.Any) => TaskContainers.TryFind(State, reference, naming)?.Id.Value[0];

    [Theory]
    [InlineData("web.1", 'b')] // the one that runs, not the one before it
    [InlineData("/web.1", 'b')]
    [InlineData("web.2", 'c')]
    [InlineData("web.3", 'i')] // none runs: the latest that did
    [InlineData("all.node", 'g')]
    [InlineData("abcd22222222", 'b')]
    [InlineData("1111", 'a')]
    public void A_container_is_found_by_its_slot_or_an_ids_beginning(string reference, char task) => Assert.Equal(task, Find(reference));

    [Fact]
    public void Whole_names_and_ids_mean_one_task_for_ever()
    {
        foreach (var task in Tasks.Where(t => t.Status.ContainerStatus is not null))
        {
            foreach (var reference in new[] { task.Id.Value, TaskText.Name(task), "/" + TaskText.Name(task), task.Status.ContainerStatus!.ContainerId })
                Assert.Equal(task, TaskContainers.TryFindExact(State, reference, TaskNaming.Any));
        }

        Assert.Null(TaskContainers.TryFindExact(State, "web.1", TaskNaming.Any));
        Assert.Null(TaskContainers.TryFindExact(State, $"db.1.{Id('b')}", TaskNaming.Any)); // another's name with this id
    }

    [Theory]
    [InlineData("web")]
    [InlineData("web.4")]
    [InlineData("ab")]
    [InlineData("abc")] // too short to be meant as an id
    [InlineData("")]
    [InlineData("busybox:latest")]
    [InlineData("zzzzzz")]
    public void What_names_no_container_is_nothing(string reference) => Assert.Null(Find(reference));

    [Fact]
    public void A_bare_task_id_is_the_tasks_own_where_objects_are_looked_for()
    {
        Assert.Equal('b', Find(Id('b')));
        Assert.Equal('b', Find("bbbbbb"));
        Assert.Null(Find(Id('b'), TaskNaming.NotByTaskId));
        Assert.Null(Find("gggggg", TaskNaming.NotByTaskId));
        Assert.Equal('b', Find("web.1", TaskNaming.NotByTaskId));
        Assert.Equal('b', Find($"web.1.{Id('b')}", TaskNaming.NotByTaskId));
    }

    [Theory]
    [InlineData("abcd", 400, "abcd is ambiguous: 2 tasks' containers or tasks have ids that begin so; use more of the id")]
    [InlineData("up.1", 400, "up.1 is ambiguous, two of its tasks run: use up.1.eeeeeeeeeeeeeeeeeeeeeeeee or up.1.fffffffffffffffffffffffff")]
    [InlineData("db.1", 409, "task db.1.ddddddddddddddddddddddddd has no container: it is pending (no suitable node (2 nodes not available))")]
    public void What_cannot_be_decided_is_refused_with_a_sentence(string reference, int status, string sentence)
    {
        var refused = Assert.Throws<ApiException>(() => Find(reference));
        Assert.Equal((status, sentence), (refused.Status, refused.Message));
    }

    [Theory]
    [InlineData("web.1", true)]
    [InlineData("my.stack_web.12", true)]
    [InlineData("web.1.bbbbbbbbbbbbbbbbbbbbbbbbb", true)]
    [InlineData("all.2kvwljm1zmavfi97yneo4uz3n", true)]
    [InlineData("web", false)]
    [InlineData("web.one", false)]
    [InlineData(".1", false)]
    [InlineData("redis:7.2", false)]
    [InlineData("", false)]
    public void Some_names_only_tasks_have(string reference, bool looks) => Assert.Equal(looks, TaskContainers.LooksLikeTask(reference));

    [Theory]
    [InlineData("web.1", true)]
    [InlineData("abcd2222", true)]
    [InlineData("bbbbbbbbbbbbbbbbbbbbbbbbb", true)]
    [InlineData("busybox", false)]
    [InlineData("abc", false)]
    [InlineData("busybox:latest", false)]
    public void Words_are_not_worth_waiting_for_news_of_tasks(string reference, bool may) => Assert.Equal(may, TaskContainers.MayName(reference));
}
