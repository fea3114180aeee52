using Orchestrator.Manager.Api;
using Orchestrator.Manager.Certificates;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Simulation.Identity;

/// <summary>Certificates that live minutes and hours, for days of virtual time.</summary>
public sealed class RenewalTests
{
    [Theory]
    [InlineData(1, 60)]
    [InlineData(2, 120)]
    [InlineData(3, 24 * 60)]
    public void Short_certificates_are_renewed_between_half_and_four_fifths_of_their_life(int seed, int minutes)
    {
        using var lab = new IdentityLab(seed, TimeSpan.FromMinutes(minutes));
        lab.Join(4);
        var seen = lab.Members.Select(m => m.Box.Current).ToArray();
        var renewals = new int[4];
        lab.World.AfterStep = () =>
        {
            for (var i = 0; i < seen.Length; i++)
            {
                var now = lab.Members[i].Box.Current;
                if (ReferenceEquals(now, seen[i]))
                    continue;
                var (begins, ends) = seen[i].Life;
                var share = (lab.World.Time.GetUtcNow() - begins) / (ends - begins);
                Assert.InRange(share, 0.49, 0.81);
                Assert.Equal(now.ChainPem, lab.Members[i].File.Read()!.ChainPem);
                (seen[i], renewals[i]) = (now, renewals[i] + 1);
                lab.EveryoneMustTrustEveryone();
            }
        };

        lab.World.RunUntil(() => false, TimeSpan.FromMinutes(minutes * 30));

        Assert.All(renewals, r => Assert.InRange(r, 37, 60)); // 30 lives, each cut to between 50 and 80 %
        Assert.Equal(NodeRole.Manager, lab.Members[0].Box.Current.Role);
    }

    [Fact]
    public void A_node_that_reaches_no_manager_tries_again_and_keeps_its_certificate()
    {
        using var lab = new IdentityLab(7, TimeSpan.FromHours(1));
        lab.Join(2);
        lab.World.RunUntil(() => false, TimeSpan.FromMinutes(20));
        var before = lab.Members[1].Box.Current;

        lab.CutOff = true;
        lab.World.RunUntil(() => false, TimeSpan.FromMinutes(31)); // past every renewal's time, short of the end
        Assert.Same(before, lab.Members[1].Box.Current);

        lab.CutOff = false;
        Assert.True(lab.World.RunUntil(() => !ReferenceEquals(before, lab.Members[1].Box.Current), TimeSpan.FromMinutes(20)));
        lab.EveryoneMustTrustEveryone();
    }

    [Fact]
    public void A_node_that_was_away_for_longer_than_its_certificate_lives_is_refused()
    {
        using var lab = new IdentityLab(8, TimeSpan.FromHours(1));
        lab.Join(2);
        var before = lab.Members[1].Box.Current;
        lab.CutOff = true;
        lab.World.RunUntil(() => false, TimeSpan.FromHours(2));
        lab.CutOff = false;

        lab.World.RunUntil(() => false, TimeSpan.FromHours(1));

        Assert.Same(before, lab.Members[1].Box.Current);
        var verdict = CertificateTrust.Judge(before.Certificate, before.Intermediates, before.Roots, "cluster", lab.World.Time.GetUtcNow());
        Assert.Contains("has to join again", verdict.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void While_the_root_rotates_everyone_trusts_everyone_and_the_former_root_goes_with_the_last_node()
    {
        using var lab = new IdentityLab(9, TimeSpan.FromDays(90));
        lab.Join(5);
        var former = lab.Security.RootPem;
        var formerToken = lab.Security.Token(NodeRole.Worker);
        lab.World.RunUntil(() => false, TimeSpan.FromHours(1));
        var steps = 0;
        lab.World.AfterStep = () =>
        {
            if (steps++ % 3 == 0)
                lab.EveryoneMustTrustEveryone();
        };

        var spec = lab.Current.Swarm!.Spec;
        var asked = spec with { CaConfig = spec.CaConfig with { ForceRotate = 1 } };
        lab.Do(SecurityPlan.Plan(lab.Security, spec, asked, new(false, false, false), lab.World.Time.GetUtcNow(), n => new byte[n])!);
        Assert.Equal(5, RotationPlan.Of(lab.Current)!.Waiting.Length);
        Assert.NotNull(lab.Security.Admits(formerToken)); // hosts may join meanwhile

        for (var i = 0; i < 5; i++)
        {
            lab.Members[i].Renewal.Told(lab.Security.TrustedRootsPem);
            lab.World.RunUntil(() => false, TimeSpan.FromMinutes(1));
            lab.EveryoneMustTrustEveryone();
            Assert.Equal(4 - i, RotationPlan.Of(lab.Current)!.Waiting.Length);
        }

        lab.Do(RotationPlan.Finish(lab.Security, Enumerable.Range(50, 34).Select(i => (byte)i).ToArray(), lab.World.Time.GetUtcNow()));
        foreach (var member in lab.Members)
            member.Renewal.Told(lab.Security.TrustedRootsPem);
        lab.World.RunUntil(() => false, TimeSpan.FromMinutes(1));

        lab.EveryoneMustTrustEveryone();
        Assert.Null(lab.Security.Admits(formerToken));
        Assert.DoesNotContain(former, lab.Security.TrustedRootsPem, StringComparison.Ordinal);
        Assert.All(lab.Members, m => Assert.Equal(lab.Security.TrustedRootsPem, m.Box.Current.RootsPem));
        Assert.All(lab.Current.Nodes.Values, n => Assert.Equal(lab.Security.Desired(), n.Description!.TlsInfo));
        Assert.Null(RotationPlan.Of(lab.Current));
    }
}
