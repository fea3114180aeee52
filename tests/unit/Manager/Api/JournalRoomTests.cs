using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class JournalRoomTests
{
    private static readonly CreateService Create = new(new("a"), Scene.Spec("web")) { At = DateTimeOffset.UnixEpoch };

    [Fact]
    public void A_disk_with_room_refuses_nothing() => new JournalRoom("/j", () => JournalRoom.Kept).Demand(Create);

    [Fact]
    public void What_would_take_the_last_room_is_refused_in_a_sentence()
    {
        var refused = Assert.Throws<ApiException>(() => new JournalRoom("/j", () => 3 << 20).Demand(Create));
        Assert.Equal(507, refused.Status);
        Assert.StartsWith("No space left on device: 3072 KiB are free for the journal in /j, and it keeps 8 MiB for the cluster's own work. Nothing was changed.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_removes_something_may_use_more_but_not_all()
    {
        var remove = new RemoveService(new("a")) { At = DateTimeOffset.UnixEpoch };
        new JournalRoom("/j", () => JournalRoom.KeptFromRemovals).Demand(remove);
        Assert.Throws<ApiException>(() => new JournalRoom("/j", () => JournalRoom.KeptFromRemovals - 1).Demand(remove));
    }
}
