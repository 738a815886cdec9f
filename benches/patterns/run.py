"""Tollgate's recognizers and Vectorscan on the same text, in one run.

Vectorscan gets the pattern of every rule and says where one ends, no more: no check digits, no
context, no scores, no names, no second reading of what is encoded. Tollgate does all of it. Each
is timed in turn on one thread, several times, and the best counts.

    python benches/patterns/run.py --throughput target/release/examples/throughput
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time
import tomllib

import hyperscan
from logs import logs

ROOT = pathlib.Path(__file__).resolve().parents[2]
def texts():
    """What is read: prose (the licence's text and the documentation), and logs."""
    prose = (ROOT / "LICENSE").read_text()
    prose += "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    return {"prose": prose * (1 + 2_000_000 // len(prose)), "logs": "".join(logs(15_000))}


def patterns():
    """The pattern of every rule that searches by one."""
    for path in sorted((ROOT / "rules/recognizers").rglob("*.toml")):
        for rule in tomllib.loads(path.read_text()).get("recognizer", []):
            if "pattern" in rule:
                # Python and Rust write named groups alike, Vectorscan takes none of their names.
                yield rule["pattern"].replace("(?P<value>", "(")


def vectorscan(expressions):
    """A database of the expressions, and how many it takes; the others are left out."""
    # One end for each pattern is told: what telling costs in Python is not what is measured.
    flags = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH
    taken = []
    for expression in expressions:
        try:
            hyperscan.Database().compile(expressions=[expression.encode()], flags=[flags])
            taken.append(expression.encode())
        except hyperscan.error:
            pass
    database = hyperscan.Database()
    started = time.process_time()
    database.compile(
        expressions=taken, ids=list(range(len(taken))), elements=len(taken), flags=[flags] * len(taken)
    )
    return database, len(taken), time.process_time() - started


def scan(database, text, times):
    """The best CPU seconds, and how many ends were told."""
    data, best, ends = text.encode(), float("inf"), 0
    for _ in range(times):
        ends = 0

        def told(*_):
            nonlocal ends
            ends += 1

        started = time.process_time()
        database.scan(data, match_event_handler=told)
        best = min(best, time.process_time() - started)
    return best, ends


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--throughput", required=True, help="the built example `throughput`")
    arguments.add_argument("--times", type=int, default=5)
    arguments = arguments.parse_args()
    expressions = list(patterns())
    database, taken, compiled = vectorscan(expressions)
    print(f"{len(expressions)} patterns; Vectorscan takes {taken} and compiles them in {compiled:.1f} s of CPU")
    print("| text | Tollgate, all of it | Vectorscan, patterns alone | ends told by Vectorscan | findings |")
    print("|---|---:|---:|---:|---:|")
    for name, text in texts().items():
        with tempfile.NamedTemporaryFile("w", suffix=f".{name}") as file:
            file.write(text)
            file.flush()
            output = subprocess.run(
                [arguments.throughput, file.name, "--times", str(arguments.times), "--json"],
                check=True, capture_output=True, text=True,
            ).stdout
        ours = json.loads(output.splitlines()[-1])
        theirs, ends = scan(database, text, arguments.times)
        size = len(text.encode()) / 1e6
        print(
            f"| {name}, {size:.1f} MB | {size / ours['cpu_s']:.1f} MB/s | {size / theirs:.1f} MB/s"
            f" | {ends} | {ours['findings']} |"
        )


if __name__ == "__main__":
    main()
