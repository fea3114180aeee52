using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Limits of block I/O. Devices are named by their nodes on the host, and numbered when the container starts.</summary>
internal static class IoLimitPlan
{
    internal static void Check(HostConfig host, List<Problem> problems)
    {
        void Refuse(string field, string message) => problems.Add(new Problem("HostConfig." + field, message));

        if (host.BlkioWeight != 0 && host.BlkioWeight is < 10 or > 1000)
            Refuse("BlkioWeight", "Range of blkio weight is from 10 to 1000");
        foreach (var device in host.BlkioWeightDevice)
        {
            if (!device.Path.StartsWith('/'))
                Refuse("BlkioWeightDevice", $"bad format for device path: '{device.Path}' is not absolute");
            if (device.Weight is < 10 or > 1000)
                Refuse("BlkioWeightDevice", $"invalid weight {device.Weight} for device {device.Path}: the range is from 10 to 1000");
        }
        foreach (var (field, devices) in Throttles(host))
        {
            foreach (var device in devices)
            {
                if (!device.Path.StartsWith('/'))
                    Refuse(field, $"bad format for device path: '{device.Path}' is not absolute");
                if (device.Rate <= 0)
                    Refuse(field, $"invalid rate {device.Rate} for device {device.Path}: it must be a positive number");
            }
        }
    }

    /// <summary>The device nodes that are named, each with the field that names it.</summary>
    internal static IEnumerable<(string Field, string Path)> Devices(HostConfig host) =>
        host.BlkioWeightDevice.Select(d => ("BlkioWeightDevice", d.Path)).Concat(Throttles(host).SelectMany(t => t.Devices.Select(d => (t.Field, d.Path))));

    /// <param name="host">The container's.</param>
    /// <param name="numbers">Major and minor of every device that is named.</param>
    internal static OciBlockIo? Of(HostConfig host, ImmutableDictionary<string, (uint Major, uint Minor)> numbers)
    {
        if (host.BlkioWeight == 0 && !Devices(host).Any())
            return null;
        ImmutableArray<OciThrottle> Rates(IEnumerable<ThrottleDevice> devices) =>
            [.. devices.Select(d => new OciThrottle { Major = numbers[d.Path].Major, Minor = numbers[d.Path].Minor, Rate = (ulong)d.Rate })];
        return new OciBlockIo
        {
            Weight = host.BlkioWeight > 0 ? (ushort)host.BlkioWeight : null,
            WeightDevice = [.. host.BlkioWeightDevice.Select(d => new OciWeightDevice { Major = numbers[d.Path].Major, Minor = numbers[d.Path].Minor, Weight = (ushort)d.Weight })],
            ThrottleReadBpsDevice = Rates(host.BlkioDeviceReadBps),
            ThrottleWriteBpsDevice = Rates(host.BlkioDeviceWriteBps),
            ThrottleReadIopsDevice = Rates(host.BlkioDeviceReadIops),
            ThrottleWriteIopsDevice = Rates(host.BlkioDeviceWriteIops),
        };
    }

    private static (string Field, IReadOnlyList<ThrottleDevice> Devices)[] Throttles(HostConfig host) =>
    [
        ("BlkioDeviceReadBps", host.BlkioDeviceReadBps), ("BlkioDeviceWriteBps", host.BlkioDeviceWriteBps),
        ("BlkioDeviceReadIOps", host.BlkioDeviceReadIops), ("BlkioDeviceWriteIOps", host.BlkioDeviceWriteIops),
    ];
}
