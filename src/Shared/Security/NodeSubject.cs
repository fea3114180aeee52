using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>A node's name in its certificate: O is the cluster, OU the role, CN the node (swarmkit's ca package).</summary>
public static class NodeSubject
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";
    private const string OrganizationalUnit = "2.5.4.11";

    public static string Unit(NodeRole role) => role == NodeRole.Manager ? "swarm-manager" : "swarm-worker";

    public static X500DistinguishedName Write(NodeId node, NodeRole role, string clusterId)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddOrganizationName(clusterId);
        name.AddOrganizationalUnitName(Unit(role));
        name.AddCommonName(node.Value);
        return name.Build();
    }

    /// <summary>Null when the name is not a node's.</summary>
    public static PeerIdentity? Read(X509Certificate2 certificate)
    {
        string? node = null, unit = null, cluster = null;
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
                return null;
            switch (part.GetSingleElementType().Value)
            {
                case CommonName: node = part.GetSingleElementValue(); break;
                case Organization: cluster = part.GetSingleElementValue(); break;
                case OrganizationalUnit: unit = part.GetSingleElementValue(); break;
                default: break;
            }
        }

        NodeRole? role = unit switch
        {
            "swarm-manager" => NodeRole.Manager,
            "swarm-worker" => NodeRole.Worker,
            _ => null,
        };
        return role is { } known && node is { Length: > 0 } && cluster is { Length: > 0 }
            ? new(new NodeId(node), known, cluster)
            {
                Issued = CertificateSerial.MadeAt(certificate),
                Expires = new DateTimeOffset(certificate.NotAfter),
            }
            : null;
    }
}
