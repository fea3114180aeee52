using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using YamlDotNet.RepresentationModel;

namespace Orchestrator.Tests.Unit.Shared.Http;

/// <summary>Compares the model's JSON names with the definitions of the Engine API's own description.</summary>
public sealed class SpecShapeTests
{
    private static readonly YamlMappingNode Definitions = Load();

    [Theory]
    [InlineData("Service", typeof(Service), "PreviousSpec SpecVersion PendingDelete")]
    [InlineData("ServiceSpec", typeof(ServiceSpec), "Orch")]
    [InlineData("TaskSpec", typeof(TaskSpec), "")]
    [InlineData("Task", typeof(ServiceTask), "NetworksAttachments HostPorts SpecVersion ServiceName NotBefore RunningSince Relief")]
    [InlineData("TaskStatus", typeof(ServiceTaskStatus), "")]
    [InlineData("Node", typeof(Node), "ClusterAddr")]
    [InlineData("NodeSpec", typeof(NodeSpec), "")]
    [InlineData("NodeDescription", typeof(NodeDescription), "")]
    [InlineData("Network", typeof(Network), "Version")]
    [InlineData("NetworkContainer", typeof(NetworkContainer), "")]
    [InlineData("ImageSummary", typeof(ImageSummary), "")]
    [InlineData("ImageInspect", typeof(ImageInspect), "")]
    [InlineData("ContainerSummary", typeof(ContainerSummary), "")]
    [InlineData("ContainerState", typeof(ContainerStateReply), "")]
    [InlineData("ContainerWaitResponse", typeof(ContainerWaitReply), "")]
    [InlineData("SystemInfo", typeof(InfoReply), "IPv4Forwarding")]
    [InlineData("SystemVersion", typeof(VersionReply), "")]
    [InlineData("SwarmInfo", typeof(SwarmInfo), "")]
    [InlineData("EventMessage", typeof(EventMessage), "status id from")]
    [InlineData("HostConfig", typeof(HostConfig), "")]
    [InlineData("EndpointSettings", typeof(EndpointSettings), "")]
    public void Every_name_the_model_writes_is_one_of_the_specs(string definition, Type type, string ours)
    {
        var known = Names(definition);
        Assert.NotEmpty(known);
        var written = ModelJson.Options.GetTypeInfo(type).Properties.Select(p => p.Name);
        Assert.Empty(written.Except(known).Except(ours.Split(' ')));
    }

    [Theory]
    [InlineData("ImageSummary", typeof(ImageSummary))]
    [InlineData("ContainerWaitResponse", typeof(ContainerWaitReply))]
    [InlineData("SystemVersion", typeof(VersionReply))]
    public void Every_name_the_spec_requires_is_in_the_model(string definition, Type type)
    {
        var node = (YamlMappingNode)Definitions[definition];
        var required = node.Children.TryGetValue("required", out var list) ? ((YamlSequenceNode)list).Select(n => n.ToString()) : [];
        Assert.Empty(required.Except(ModelJson.Options.GetTypeInfo(type).Properties.Select(p => p.Name)));
    }

    private static HashSet<string> Names(string definition)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Collect((YamlMappingNode)Definitions[definition], names);
        return names;
    }

    private static void Collect(YamlMappingNode node, HashSet<string> names)
    {
        if (node.Children.TryGetValue("$ref", out var reference))
            Collect((YamlMappingNode)Definitions[reference.ToString().Split('/')[^1]], names);
        if (node.Children.TryGetValue("properties", out var properties))
            names.UnionWith(((YamlMappingNode)properties).Children.Keys.Select(k => k.ToString()));
        if (node.Children.TryGetValue("allOf", out var parts))
        {
            foreach (var part in ((YamlSequenceNode)parts).OfType<YamlMappingNode>())
                Collect(part, names);
        }
    }

    private static YamlMappingNode Load([CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Spec", "engine-api-v1.50.yaml");
        var yaml = new YamlStream();
        using var reader = new StreamReader(path);
        yaml.Load(reader);
        return (YamlMappingNode)((YamlMappingNode)yaml.Documents[0].RootNode)["definitions"];
    }
}
