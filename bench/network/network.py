#!/usr/bin/env python3
"""Ranks on hosts of their own: the step of ResNet-18 on four network namespaces, with links of 1 and 10 Gbit/s.

usage: network.py BUILD [--ranks N] [--network NAME] [--batch N] [--steps N] [--rounds N] [--gigabits N] [--json]

BUILD is Meson's build directory, with MPI (Open MPI). It needs root, `ip` and `tc` (Debian's iproute2) and `ping`
(iputils-ping). Each rank runs in a network namespace. Its link to a common bridge is limited both ways, and delays what
comes from the bridge by a millisecond: by the kernel's netem, or by delaying-links where the kernel has none.

Two ways of sending take turns in each round: buckets of gradients that travel while backward goes on, and the same
buckets when Thaw waits for them. Beside their medians stand the step of one rank alone, and the limit of the link: what
each rank must send, at its full rate. The last row thaws all layers in the middle of a run that began with the head
alone.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

BRIDGE = "thaw-bench"
ADDRESS = "10.77.0.{}"
ENTER = '#!/bin/sh\nexec ip netns exec "thaw-rank$OMPI_COMM_WORLD_RANK" "$@"\n'


def call(*words):
    subprocess.run([str(word) for word in words], check=True)


def fails(*words):
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


class Hosts:
    """Namespaces joined by a bridge. A rank's name is thaw-rankN, its link link-N on the bridge's side."""

    def __init__(self, count, delaying_links):
        self.count = count
        self.delaying_links = delaying_links
        self.carrier = None

    def __enter__(self):
        call("ip", "link", "add", BRIDGE, "type", "bridge")
        call("ip", "addr", "add", ADDRESS.format(254) + "/24", "dev", BRIDGE)
        call("ip", "link", "set", BRIDGE, "up")
        if fails("tc", "qdisc", "replace", "dev", BRIDGE, "root", "netem", "delay", "1ms"):
            self.carrier = subprocess.Popen([self.delaying_links, str(self.count), "1000"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
            if self.carrier.stdout.readline() != "ready\n":
                sys.exit("network.py: no link can delay")
        else:
            call("tc", "qdisc", "del", "dev", BRIDGE, "root")
        for rank in range(self.count):
            host, link = f"thaw-rank{rank}", f"link-{rank}"
            call("ip", "netns", "add", host)
            if self.carrier:
                call("ip", "link", "set", f"host-{rank}", "netns", host, "name", "eth0")
            else:
                call("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host)
            call("ip", "link", "set", link, "master", BRIDGE, "up")
            call("ip", "-n", host, "addr", "add", ADDRESS.format(rank + 1) + "/24", "dev", "eth0")
            for device in "eth0", "lo":
                call("ip", "-n", host, "link", "set", device, "up")
        return self

    def __exit__(self, *_):
        if self.carrier:
            self.carrier.stdin.close()
            self.carrier.wait()
        subprocess.run(["ip", "link", "del", BRIDGE], check=False)
        for rank in range(self.count):
            subprocess.run(["ip", "netns", "del", f"thaw-rank{rank}"], check=False)

    def limit(self, gigabits):
        """Both directions of each link."""
        for rank in range(self.count):
            inside = ["ip", "netns", "exec", f"thaw-rank{rank}"]
            for enter, device in ([], f"link-{rank}"), (inside, "eth0"):
                burst = f"{max(64, int(gigabits * 256))}k"
                call(*enter, "tc", "qdisc", "replace", "dev", device, "root", "handle", "1:", "tbf", "rate",
                     f"{gigabits}gbit", "burst", burst, "latency", "50ms")
                if not enter and not self.carrier:
                    call("tc", "qdisc", "replace", "dev", device, "parent", "1:1", "netem", "delay", "1ms")

    def milliseconds(self):
        """The round trip between two hosts, as ping measures it."""
        said = subprocess.run(["ip", "netns", "exec", "thaw-rank0", "ping", "-q", "-c", "5", "-i", "0.2",
                               ADDRESS.format(2)], check=True, text=True, stdout=subprocess.PIPE).stdout
        return float(said.rsplit("=", 1)[1].split("/")[1])


def run(options, ranks, trained, way, thaw_at=None):
    """One line of network-steps."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as enter:
        enter.write(ENTER)
    os.chmod(enter.name, 0o755)
    network = ADDRESS.format(0) + "/24"
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), "--bind-to", "none",
               "--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", network,
               enter.name, str(options.build / "bench" / "network-steps"), options.network, trained,
               str(options.batch), str(options.steps), way]
    if thaw_at:
        command.append(str(thaw_at))
    # Ranks reach mpirun over the bridge.
    environment = dict(os.environ, PMIX_MCA_ptl_base_if_include=BRIDGE, PMIX_MCA_ptl_base_remote_connections="1",
                       OMP_NUM_THREADS="1")
    try:
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=environment)
    finally:
        os.unlink(enter.name)
    return json.loads(done.stdout.splitlines()[-1])


def measure(options, trained, gigabits):
    alone = run(options, 1, trained, "overlap")
    times = {"overlap": [], "wait": []}
    for turn in range(options.rounds):
        ways = ("overlap", "wait") if turn % 2 == 0 else ("wait", "overlap")
        for way in ways:
            times[way].append(run(options, options.ranks, trained, way)["seconds"])
    sent = 2 * (options.ranks - 1) / options.ranks * alone["bytes"]
    return {"network": options.network, "trained": trained, "ranks": options.ranks, "gigabits": gigabits,
            "bytes_sent": round(sent), "seconds_alone": alone["seconds"], "seconds_of_link": sent * 8e-9 / gigabits,
            "seconds_overlapping": statistics.median(times["overlap"]),
            "seconds_waiting": statistics.median(times["wait"])}


def measure_thaw(options, gigabits):
    """Buckets are cut anew when layers thaw."""
    result = run(options, options.ranks, "head", "overlap", options.steps // 2)
    return {"network": options.network, "trained": "head, then all", "ranks": options.ranks, "gigabits": gigabits,
            "seconds_before": result["seconds"], "seconds_after": result["seconds_after"],
            "bytes_before": result["bytes"], "bytes_after": result["bytes_after"]}


def show(result):
    if "seconds_before" in result:
        print(f"{result['gigabits']:4} Gbit/s  head, then all: {1e3 * result['seconds_before']:.0f} ms a step, then "
              f"{1e3 * result['seconds_after']:.0f} ms; {result['bytes_before'] / 1e6:.1f} MB of gradients, then "
              f"{result['bytes_after'] / 1e6:.1f} MB", flush=True)
        return
    print(f"{result['gigabits']:4} Gbit/s  {result['trained']:4}  {1e3 * result['seconds_alone']:7.0f} "
          f"{1e3 * result['seconds_of_link']:7.0f} {1e3 * result['seconds_overlapping']:11.0f} "
          f"{1e3 * result['seconds_waiting']:7.0f}  {result['bytes_sent'] / 1e6:7.1f}", flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD", help="Meson's build directory")
    parser.add_argument("--ranks", type=int, default=4, help="hosts, with a rank on one thread each (4)")
    parser.add_argument("--network", default="resnet18", help="of the zoo (resnet18)")
    parser.add_argument("--batch", type=int, default=8, help="samples of each rank (8)")
    parser.add_argument("--steps", type=int, default=8, help="of each run; the first two do not count (8)")
    parser.add_argument("--rounds", type=int, default=3, help="of the two ways of sending (3)")
    parser.add_argument("--gigabits", type=int, action="append", help="a second of the links; repeatable (1 and 10)")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    return parser.parse_args()


def main():
    options = read_options()
    options.build = options.build.resolve()
    if os.geteuid() != 0:
        sys.exit("network.py: needs root, to make network namespaces")
    if not (options.build / "bench" / "network-steps").exists():
        sys.exit(f"network.py: {options.build}/bench/network-steps is not there: build with MPI (-Dmpi=enabled)")
    with Hosts(options.ranks, options.build / "bench" / "delaying-links") as hosts:
        if not options.json:
            print(f"{options.network}, {options.ranks} ranks of 1 thread, batch {options.batch} each, on "
                  f"{os.cpu_count()} cores; times of a step in ms\n"
                  "link         train   alone    link overlapping waiting  MB sent", flush=True)
        for gigabits in options.gigabits or (1, 10):
            hosts.limit(gigabits)
            round_trip = hosts.milliseconds()
            if not options.json:
                print(f"{gigabits:4} Gbit/s  round trip {round_trip:.1f} ms", flush=True)
            results = [lambda trained=trained: measure(options, trained, gigabits) for trained in ("all", "head")]
            for work in results + [lambda: measure_thaw(options, gigabits)]:
                result = work()
                result["round_trip_ms"] = round_trip
                print(json.dumps(result), flush=True) if options.json else show(result)


if __name__ == "__main__":
    main()
