"""Makes valid identifiers and near misses, with python-stdnum as the oracle.

Reads tables of identifiers (see identifiers.rs) named as arguments after the seed and the count.
Prints tab-separated lines: identifier, form (`compact` or `own`), `valid` or `miss`, value.
"""

import importlib
import random
import re
import string
import sys
import tomllib
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import oracles

TRIES_PER_VALUE = 5_000
MISSES_PER_VALUE = 2
CLASSES = {"9": string.digits, "A": string.ascii_uppercase}


def tokens(shape):
    """A shape as a list of either a set of characters or a date's format."""
    out = []
    for literal in re.findall(r"\{[^}]*\}|\[[^\]]*\]|.", shape):
        if literal[0] == "{":
            out.append(literal)
        elif literal[0] == "[":
            body = re.sub(
                r"(\w)-(\w)",
                lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))),
                literal[1:-1],
            )
            out.append(set(body) and sorted(set(body)))
        else:
            out.append(CLASSES.get(literal, literal))
    return out


def draw(shape, rng):
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(24_000))
    return "".join(
        born.strftime(token[1:-1]) if isinstance(token, str) and token[0] == "{" else rng.choice(token)
        for token in shape
    )


def fill(form, value):
    """The characters of `value` in the places (9, A, X) of `form`; the rest stands as it is."""
    characters = iter(value)
    return "".join(next(characters) if place in "9AX" else place for place in form)


def near_misses(value, is_valid, rng):
    """The value with one digit changed, in random order, where the oracle refuses it."""
    changes = [
        (at, digit)
        for at, old in enumerate(value)
        if old.isdigit()
        for digit in string.digits
        if digit != old
    ]
    rng.shuffle(changes)
    for at, digit in changes:
        changed = value[:at] + digit + value[at + 1 :]
        if not is_valid(changed):
            yield changed


def oracle_of(name):
    """What tells valid values: `is_valid` of python-stdnum's module, or a function of oracles.py."""
    if name.startswith("oracles."):
        return getattr(oracles, name.removeprefix("oracles."))
    return importlib.import_module(name).is_valid


def main():
    seed, count, *tables = sys.argv[1:]
    for table in tables:
        for row in tomllib.loads(Path(table).read_text())["identifier"]:
            rng = random.Random(f"{seed}/{row['id']}")
            is_valid = oracle_of(row["oracle"])
            shape, values = tokens(row["shape"]), []
            for _ in range(TRIES_PER_VALUE * int(count)):
                value = draw(shape, rng)
                if is_valid(value):
                    values.append(value)
                    if len(values) == int(count):
                        break
            else:
                sys.exit(f"{row['id']}: {len(values)} valid values of the shape {row['shape']}")
            own = row.get("own")
            for value in values:
                misses = islice(near_misses(value, is_valid, rng), MISSES_PER_VALUE)
                for standing, text in [("valid", value), *(("miss", miss) for miss in misses)]:
                    print(row["id"], "compact", standing, text, sep="\t")
                    if own is not None:
                        text = text if own == "compact" else fill(own, text)
                        print(row["id"], "own", standing, text, sep="\t")


main()
