using Orchestrator.Worker.Images;

namespace Orchestrator.Tests.Unit.Worker.Images;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("team/app", "docker.io/team/app:latest", "team/app:latest")]
    [InlineData("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest")]
    [InlineData("localhost/app", "localhost/app:latest", "localhost/app:latest")]
    [InlineData("localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1")]
    [InlineData("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000")]
    [InlineData("registry.example.com/a/b/c", "registry.example.com/a/b/c:latest", "registry.example.com/a/b/c:latest")]
    [InlineData("REG/app", "REG/app:latest", "REG/app:latest")]
    [InlineData("[::1]:5000/app:x", "[::1]:5000/app:x", "[::1]:5000/app:x")]
    [InlineData("a__b--c.d:T_1.x-y", "docker.io/library/a__b--c.d:T_1.x-y", "a__b--c.d:T_1.x-y")]
    [InlineData("busybox@" + Digest, "docker.io/library/busybox@" + Digest, "busybox@" + Digest)]
    [InlineData("r.io/x:t@" + Digest, "r.io/x:t@" + Digest, "r.io/x:t@" + Digest)]
    public void Names_get_dockers_defaults_and_lose_them_for_people(string text, string canonical, string familiar)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal((canonical, familiar), (reference.Canonical, reference.Familiar));
        Assert.Equal(reference, ImageReference.Parse(reference.Canonical));
    }

    [Theory]
    [InlineData("", "the image name is empty")]
    [InlineData("Busybox", "must be lowercase")]
    [InlineData("docker.io/Team/app", "must be lowercase")]
    [InlineData("app:", "is not a tag")]
    [InlineData("app:-x", "is not a tag")]
    [InlineData("app:a/b:c d", "is not a tag")]
    [InlineData("app@sha256:abc", "is not a digest")]
    [InlineData("app@md5:" + "e3b0c44298fc1c149afbf4c8996fb924", "is not a digest")]
    [InlineData("a..b", "is not an image name")]
    [InlineData("a_-b", "is not an image name")]
    [InlineData("/app", "is not an image name")]
    [InlineData("app/", "is not an image name")]
    [InlineData("a//b", "is not an image name")]
    [InlineData("../etc", "is not an image name")]
    [InlineData("app\n", "is not an image name")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "cannot specify 64-byte hexadecimal strings")]
    public void What_is_no_name_is_refused_with_the_reason(string text, string reason)
    {
        Assert.False(ImageReference.TryParse(text, out var reference, out var problem));
        Assert.Null(reference);
        Assert.Contains(reason, problem);
    }

    [Fact]
    public void A_name_of_more_than_255_characters_is_refused() =>
        Assert.Contains("255", Assert.Throws<ImageException>(() => ImageReference.Parse(new('a', 250))).Message);
}
