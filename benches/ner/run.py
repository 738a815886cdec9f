"""What names cost: Tollgate, and the same model plainly run over all text, in one run.

The plain model is the one that is shipped (`model_q4.onnx`), run by ONNX Runtime on one thread over
windows of up to 510 tokens, one after the other, no text twice in a window. Tollgate's figure is its
whole inspection with the model less that without it, as CPU time. Texts are made up or the project's
own: the demo's prompts one by one; conversations of which each turn sends all turns before it again;
prose; logs.

    python benches/ner/run.py --measure target/release/examples/measure
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib

import numpy
import onnxruntime
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches/patterns"))
WINDOW = 510


def strings(value):
    """All texts of a request."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in value:
            if key not in ("model", "role", "type"):
                yield from strings(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def prompts():
    for path in sorted((ROOT / "fixtures/demo").glob("*.toml")):
        for prompt in tomllib.loads(path.read_text())["prompt"]:
            try:
                yield "\n".join(strings(json.loads(prompt["body"])))
            except (KeyError, json.JSONDecodeError):
                continue


def texts(logs):
    demo = list(prompts())
    talks = []
    for first in range(0, len(demo) - 9, 10):
        turns = demo[first : first + 10]
        talks += ["\n\n".join(turns[: last + 1]) for last in range(len(turns))]
    lines = list(logs(400))
    prose = "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    return {
        "the demo's prompts": demo,
        "conversations of ten turns": talks,
        "prose (documentation)": [prose[at : at + 4000] for at in range(0, min(len(prose), 120_000), 4000)],
        "logs": ["".join(lines[at : at + 40]) for at in range(0, len(lines), 40)],
    }


class Plain:
    def __init__(self, runtime):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(runtime / "rampart/model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer = Tokenizer.from_file(str(runtime / "rampart/tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        # [CLS] and [SEP]
        self.ends = self.tokenizer.encode("").ids

    def read(self, text):
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        for at in range(0, len(ids), WINDOW):
            window = numpy.array([[self.ends[0], *ids[at : at + WINDOW], self.ends[-1]]], dtype=numpy.int64)
            given = {"input_ids": window, "attention_mask": numpy.ones_like(window), "token_type_ids": numpy.zeros_like(window)}
            self.session.run(None, {i.name: given[i.name] for i in self.session.get_inputs()})


def tollgate(measure, texts, arguments):
    """CPU seconds, and windows for the model."""
    with tempfile.TemporaryDirectory() as directory:
        with open(pathlib.Path(directory) / "texts.jsonl", "w", encoding="utf-8") as file:
            for text in texts:
                file.write(json.dumps({"text": text, "spans": []}) + "\n")
        output = subprocess.run([measure, directory, *arguments], check=True, capture_output=True, text=True).stdout
    last = re.findall(r"\((\d+) bytes, (\d+) windows for the model, ([\d.]+) ms CPU", output)[-1]
    return float(last[2]) / 1e3, int(last[1])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--measure", required=True, help="the built example `measure`")
    arguments.add_argument("--runtime", default=str(ROOT / ".runtime"))
    arguments = arguments.parse_args()
    from logs import logs

    plain = Plain(pathlib.Path(arguments.runtime))
    plain.read("Warm up, Anna.")
    print("| text | KB | plain model | Tollgate's names | ratio | of all windows read | rules alone |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, pieces in texts(logs).items():
        kilobytes = sum(len(text.encode()) for text in pieces) / 1e3
        started = time.process_time()
        for text in pieces:
            plain.read(text)
        theirs = time.process_time() - started
        rules, _ = tollgate(arguments.measure, pieces, ["--no-ner"])
        ours, windows = tollgate(arguments.measure, pieces, ["--only-ner"])
        _, every = tollgate(arguments.measure, pieces, ["--only-ner", "--all-text"])
        names = max(ours - rules, 1e-9)
        print(
            f"| {name} | {kilobytes:.0f} | {theirs * 1e3 / kilobytes:.2f} ms/KB | {names * 1e3 / kilobytes:.2f} ms/KB"
            f" | {theirs / names:.1f} | {windows * 100 / max(every, 1):.0f} % | {rules * 1e3 / kilobytes:.3f} ms/KB |"
        )


if __name__ == "__main__":
    main()
