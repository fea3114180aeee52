using Orchestrator.Tests.Bench.Cluster;
using Orchestrator.Tests.Bench.Containers;
using Orchestrator.Tests.Bench.Journal;
using Orchestrator.Tests.Bench.Raft;
using Orchestrator.Tests.Bench.Runtime;
using Orchestrator.Tests.Bench.Services;

return args switch
{
    ["runtime"] => await RuntimeBench.RunAsync(),
    ["exec-latency", .. var rest] => await ExecLatency.RunAsync(rest),
    ["logs", .. var rest] => await LogBench.RunAsync(rest),
    ["services", .. var rest] => await ServiceStart.RunAsync(rest),
    ["updates", .. var rest] => await ServiceUpdateRun.RunAsync(rest),
    ["load", var url] => await RequestLoad.RunAsync(url),
    ["memory", .. var rest] => await IdleMemory.RunAsync(rest),
    ["writes", .. var rest] => await WriteBench.RunAsync(rest),
    ["lab", .. var rest] => await LabBench.RunAsync(rest),
    ["raft", .. var rest] => await RaftBench.RunAsync(rest),
    ["exec", .. var rest] => await ExecBench.RunAsync(rest),
    ["journal", .. var rest] => await JournalBench.RunAsync(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: ORCH_BINARY=build/release/orch dotnet run -c Release --project tests/bench -- BENCHMARK [ARGUMENTS]
          runtime             a container's whole life, beside runc (package: runc)
          exec-latency [ROUNDS]  exec true, the runtime's part alone
          logs [MEGABYTES]    one container's output into its log: rate, loss, the shim's memory
          services [ROUNDS [alone]]  service create → replicas running, beside Docker Swarm (packages: docker.io iproute2)
          exec [ROUNDS]       exec true in a running container, beside Docker (package: docker.io)
          updates [ROUNDS [alone]]   rolling update of 30 replicas under requests, beside Docker Swarm (packages: docker.io iproute2 util-linux)
          raft [PROPOSERS…]   entries through three voters of this process: what the log alone costs
          writes [ROUNDS] [--clients 1,64,512] [--sync-delay MS] [--only orch|etcd]   writes of 256 bytes through three managers, beside etcd (packages: etcd-server iproute2 util-linux; gcc for --sync-delay)
          lab [ROUNDS]        five hosts: leader cut off, worker cut off, 30 replicas spread; beside recorded figures of Docker Swarm
          memory [CONTAINERS] PSS of daemon and shim, idle and with idle containers (package: iproute2)
          journal [SECONDS [postgres://…]]   entries of 256 bytes through one journal, beside a plain fsync loop; with scripts/slow-sync 5 before it: on a slow disk
        """);
    return 1;
}
