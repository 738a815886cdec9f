#!/usr/bin/env python3
"""Gateway against nginx passing through, same machine, same upstream, one run.

Upstream: an nginx that answers a fixed chat completion. Load: wrk. Each contender has one worker.
What is trusted on a shared machine is CPU time per request (user + system of the contender's
process, from /proc) and ratios; requests/s and latencies are shown for completeness.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")
ANSWER = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Thank you for your message. " * 8},
                 "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 250, "completion_tokens": 50, "total_tokens": 300},
})


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx_config(directory, port, location):
    path = os.path.join(directory, f"nginx-{port}.conf")
    with open(path, "w") as out:
        out.write(f"""daemon off; worker_processes 1; pid {directory}/nginx-{port}.pid; error_log {directory}/nginx-{port}.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; client_body_buffer_size 64k;
  {location}
}}""")
    return path


def upstream_config(port):
    answer = ANSWER.replace("'", "\\'")
    return f"""server {{ listen 127.0.0.1:{port}; default_type application/json;
      location / {{ return 200 '{answer}'; }} }}"""


def pass_config(port, upstream):
    return f"""upstream u {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1;
      proxy_set_header Connection ""; }} }}"""


def envoy_config(directory, port, upstream):
    """Envoy passing through: one route, no access log, HTTP/1.1 both ways, kept connections."""
    path = os.path.join(directory, "envoy.json")
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in", "codec_type": "HTTP1",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "u"}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    address = lambda port: {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    config = {"static_resources": {
        "listeners": [{"address": address(port), "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{"name": "u", "type": "STATIC", "load_assignment": {"cluster_name": "u", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}]}}],
    }}
    with open(path, "w") as out:
        json.dump(config, out)
    return path


def gate_config(directory, name, upstream, inspection, ner):
    port, admin = free_port(), free_port()
    path = os.path.join(directory, f"{name}.toml")
    data = os.path.join(directory, f"data-{name}")
    with open(path, "w") as out:
        out.write(f"""[listen]
reverse = "127.0.0.1:{port}"
admin = "127.0.0.1:{admin}"
threads = 1
[data]
dir = "{data}"
[ner]
device = "{ner}"
[inspection]
enabled = {str(inspection).lower()}
[analytics]
url = "http://127.0.0.1:9"
[[endpoint]]
name = "openai"
wire = "openai"
url = "http://127.0.0.1:{upstream}/v1"
jurisdiction = "US"
transfer_basis = "scc"
simulated = true
models = ["gpt-*"]
""")
    return path, port, admin


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as f:
            total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    return total / 1024


def children(pid):
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(p) for p in out]


def to_us(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def wrk(port, connections, seconds, cached):
    env = dict(os.environ, CACHED="1" if cached else "0")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", f"{HERE}/prompts.lua",
               f"http://127.0.0.1:{port}"]
    out = subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"error: the contender failed requests:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    return {
        "requests": requests,
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "p50": to_us(re.search(r"^\s+50%\s+(\S+)", out, re.M).group(1)),
        "p99": to_us(re.search(r"^\s+99%\s+(\S+)", out, re.M).group(1)),
    }


def wait_for(url, process, timeout=120):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"error: contender ended with {process.returncode}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).read()
            return
        time.sleep(0.05)
    sys.exit(f"error: {url} did not answer within {timeout} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollgate", required=True)
    parser.add_argument("--envoy", help="Envoy's binary, to be measured beside nginx")
    parser.add_argument("--seconds", type=int, default=10)
    args = parser.parse_args()
    tollgate = os.path.abspath(args.tollgate)
    directory = tempfile.mkdtemp(prefix="tollgate-bench-")
    processes = []

    def start(command, **more):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(f"{directory}/log", "ab"), **more)
        processes.append(process)
        return process

    try:
        upstream = free_port()
        start(["nginx", "-c", nginx_config(directory, upstream, upstream_config(upstream))])
        rows = []

        def measure(name, port, pids, cached=False):
            wrk(port, 8, 2, cached)
            row = {"name": name}
            for connections in (1, 32):
                before = cpu_seconds(pids)
                result = wrk(port, connections, args.seconds, cached)
                result["cpu_us"] = (cpu_seconds(pids) - before) / result["requests"] * 1e6
                row[connections] = result
            row["rss"] = rss_mib(pids) if pids else 0
            rows.append(row)
            print(name, json.dumps({str(k): v for k, v in row.items()}), file=sys.stderr)

        measure("upstream alone", upstream, [])
        port = free_port()
        process = start(["nginx", "-c", nginx_config(directory, port, pass_config(port, upstream))])
        wait_for(f"http://127.0.0.1:{port}/", process)
        measure("nginx pass-through", port, children(process.pid))
        process.terminate()
        if args.envoy:
            port = free_port()
            process = start([args.envoy, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error",
                             "-c", envoy_config(directory, port, upstream)])
            wait_for(f"http://127.0.0.1:{port}/", process)
            measure("Envoy pass-through", port, [process.pid])
            process.terminate()
        for name, label, inspection, ner, cached in [
            ("off", "tollgate, inspection off", False, "off", False),
            ("rules", "tollgate, recognizers without NER", True, "off", False),
            ("ner", "tollgate, with NER, names not read before", True, "cpu", False),
            ("ner-cached", "tollgate, with NER, prompts read before", True, "cpu", True),
        ]:
            config, port, admin = gate_config(directory, name, upstream, inspection, ner)
            process = start([tollgate, "--config", config, "serve"], env=dict(os.environ, RUST_LOG="warn"))
            wait_for(f"http://127.0.0.1:{admin}/readyz", process)
            measure(label, port, [process.pid], cached)
            process.terminate()
            process.wait(timeout=60)

        base = rows[0]
        cpu = "unknown CPU"
        with open("/proc/cpuinfo") as f:
            cpu = re.search(r"model name\s*:\s*(.*)", f.read()).group(1)
        print(f"## {datetime.date.today()}, {cpu}, {os.cpu_count()} shared cores, {platform.system()} {platform.release()}\n")
        print(f"1 KB chat completion, one worker each, {args.seconds} s per figure, `benches/run.sh`.\n")
        print("| | CPU/request, 1 conn. | CPU/request, 32 conn. | added p50 / p99, 1 conn. | added p50 / p99, 32 conn. | requests/s, 1 / 32 conn. | memory |")
        print("|---|---|---|---|---|---|---|")
        for row in rows:
            one, many = row[1], row[32]
            added = [f"{row[c][p] - base[c][p]:.0f}" for c in (1, 32) for p in ("p50", "p99")]
            if row is base:
                cells = ["", "", f"(p50 {one['p50']:.0f} us)", f"(p50 {many['p50']:.0f} us)", f"{one['rps']:.0f} / {many['rps']:.0f}", ""]
            else:
                cells = [f"{one['cpu_us']:.0f} us", f"{many['cpu_us']:.0f} us", f"{added[0]} / {added[1]} us",
                         f"{added[2]} / {added[3]} us", f"{one['rps']:.0f} / {many['rps']:.0f}", f"{row['rss']:.0f} MiB"]
            print(f"| {row['name']} | " + " | ".join(cells) + " |")
        off = next(row for row in rows if row["name"].endswith("inspection off"))
        for peer in rows[1:rows.index(off)]:
            ratios = [f"{off[c]['cpu_us'] / peer[c]['cpu_us']:.2f}" for c in (1, 32)]
            print(f"\nInspection off costs {' / '.join(ratios)} times the CPU per request of {peer['name']} at 1 / 32 connections.")
    finally:
        for process in processes:
            process.terminate()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
