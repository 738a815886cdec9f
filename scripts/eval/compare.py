"""Compares what several systems find in labelled text: `compare.py DIRECTORY NAME=FOUND...`.

DIRECTORY holds JSON lines `{"id", "text", "lang", "spans": [{"start", "end", "label"}]}`, FOUND
the lines `{"id", "spans", "cpu_s"}` of one system; offsets count code points. Prints Markdown:

- leaked: of the labelled spans, those with a letter or digit that no finding of any label covers
- recall: of the labelled spans, those that a finding of a fitting label overlaps
- precision: of the findings of a label, those that overlap a labelled span that fits; counted
  only in files where that label is labelled at all
- F2: recall counts twice as much as precision
- false alarms: findings that overlap nothing labelled, by kilobyte, in files without labels

No text of the data is printed.
"""

import collections
import json
import pathlib
import sys

# Presidio's names for what we call otherwise.
NAMES = {
    "DATE_TIME": "DATE", "DATE_OF_BIRTH": "DATE", "ORGANIZATION": "ORG", "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE", "IBAN_CODE": "IBAN", "CREDIT_CARD": "CARD", "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC", "CRYPTO": "CRYPTO_WALLET", "US_SSN": "NATIONAL_ID", "US_ITIN": "TAX_ID",
    "US_PASSPORT": "PASSPORT", "US_DRIVER_LICENSE": "DRIVERS_LICENSE", "US_BANK_NUMBER": "BANK_ACCOUNT",
    "UK_NHS": "HEALTH_ID", "MEDICAL_LICENSE": "PROFESSION_ID", "NRP": "ETHNICITY", "VAT_ID": "TAX_ID",
}
# Labels that may stand for one another.
ALIKE = [{"LOCATION", "ADDRESS"}, {"AGE", "DATE"}, {"TAX_ID", "COMPANY_ID", "NATIONAL_ID"}]


def fits(found, gold):
    found, gold = NAMES.get(found, found), NAMES.get(gold, gold)
    return found == gold or any(found in group and gold in group for group in ALIKE)


class Tally:
    def __init__(self):
        self.spans = self.leaked = self.right = self.findings = self.true = 0

    def figures(self):
        if not self.spans:
            return ["", "", "", ""]
        recall = self.right / self.spans
        precision = self.true / self.findings if self.findings else 0.0
        f2 = 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0
        return [f"{100 * x:.1f}" for x in (self.leaked / self.spans, recall, precision, f2)]


def overlap(a, b):
    return a["start"] < b["end"] and b["start"] < a["end"]


def measure(files, found):
    by_label, by_place = collections.defaultdict(Tally), collections.defaultdict(Tally)
    alarms, size, cpu = collections.Counter(), collections.Counter(), 0.0
    for name, lines in files.items():
        labelled = {NAMES.get(s["label"], s["label"]) for line in lines for s in line["spans"]}
        for line in lines:
            text, gold = line["text"], line["spans"]
            spans, lang = found[line["id"]]["spans"], line.get("lang", "und")
            cpu += found[line["id"]]["cpu_s"]
            size[name] += len(text.encode())
            covered = bytearray(len(text))
            for span in spans:
                covered[span["start"]:span["end"]] = b"\1" * (span["end"] - span["start"])
            for span in gold:
                label = NAMES.get(span["label"], span["label"])
                leaked = any(
                    not covered[at] and text[at].isalnum() for at in range(span["start"], span["end"])
                )
                right = any(overlap(span, f) and fits(f["label"], label) for f in spans)
                for tally in (by_label[label], by_place[lang, label]):
                    tally.spans += 1
                    tally.leaked += leaked
                    tally.right += right
            for span in spans:
                label = NAMES.get(span["label"], span["label"])
                if not any(overlap(span, g) for g in gold):
                    alarms[name] += 1
                if label in labelled:
                    true = any(overlap(span, g) and fits(label, g["label"]) for g in gold)
                    for tally in (by_label[label], by_place[lang, label]):
                        tally.findings += 1
                        tally.true += true
    return by_label, by_place, alarms, size, cpu


def row(cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def table(key, keys, tallies, names):
    head = [f"{name}: {figure}" for name in names for figure in ("leaked %", "recall %", "precision %", "F2 %")]
    row([*key, "spans", *head])
    row(["---"] * (len(key) + 1 + len(head)))
    for at in keys:
        cells = at if isinstance(at, tuple) else (at,)
        figures = [figure for tally in tallies for figure in tally[at].figures()]
        row([*cells, tallies[0][at].spans, *figures])
    print()


def main():
    directory, systems = pathlib.Path(sys.argv[1]), [arg.split("=", 1) for arg in sys.argv[2:]]
    files = {
        file.stem: [json.loads(line) for line in file.open()] for file in sorted(directory.glob("*.jsonl"))
    }
    names = [name for name, _ in systems]
    results = []
    for _, path in systems:
        found = {line["id"]: line for line in map(json.loads, open(path))}
        results.append(measure(files, found))
    labels = sorted(label for label, tally in results[0][0].items() if tally.spans)
    table(["entity"], labels, [result[0] for result in results], names)
    main_labels = {"PERSON", "LOCATION", "ADDRESS", "ORG", "DATE", "AGE", "PHONE"}
    places = sorted(
        key for key, tally in results[0][1].items() if tally.spans >= 20 and key[1] in main_labels
    )
    table(["language", "entity"], places, [result[1] for result in results], names)
    row(["text without labels", "KB", *(f"{name}: false alarms per KB" for name in names)])
    row(["---"] * (2 + len(names)))
    for name, lines in files.items():
        if not any(line["spans"] for line in lines):
            size = results[0][3][name] / 1e3
            row([name, f"{size:.0f}", *(f"{result[2][name] / size:.2f}" for result in results)])
    print()
    row(["speed", *names])
    row(["---"] * (1 + len(names)))
    total = sum(results[0][3].values()) / 1e3
    row(["KB per CPU second", *(f"{total / result[4]:.0f}" for result in results)])


main()
