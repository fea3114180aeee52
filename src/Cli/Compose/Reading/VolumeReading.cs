using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>One entry of the top-level <c>volumes</c>.</summary>
internal static class VolumeReading
{
    internal static ComposeVolume Read(MapReader body, MappingEntry entry)
    {
        var (external, externalName) = ExternalReading.Read(body);
        var volume = new ComposeVolume
        {
            Key = entry.Key,
            At = entry.At,
            External = external,
            Name = body.Text("name") ?? externalName,
            Driver = body.Text("driver"),
            DriverOpts = body.Labels("driver_opts"),
            Labels = body.Labels("labels"),
        };
        body.Close();
        if (volume.Driver is not (null or "local"))
            body.Problems.Add(body.Take("driver")!.At, $"volumes.{entry.Key}.driver is '{volume.Driver}', which is not there: orch has the driver local only");
        foreach (var option in volume.DriverOpts.Keys.Where(o => o is not ("type" or "device" or "o")))
        {
            body.Problems.Add(body.Take("driver_opts")!.At, option == "size"
                ? $"volumes.{entry.Key}.driver_opts.size cannot be enforced on a directory of the host: use type: tmpfs, device: tmpfs, o: size=…"
                : $"volumes.{entry.Key}.driver_opts.{option} is unknown: the driver local has type, device and o");
        }

        if (external)
            ExternalReading.RefuseOthers(body, $"volumes.{entry.Key}");

        return volume;
    }
}
