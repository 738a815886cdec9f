#!/usr/bin/env python3
"""Checks this bundle: every record, every proof, every signature.

Needs Python 3.8 and the `openssl` command, nothing else. Exit code 0 if everything holds.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return sha256(b"\x00", data)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def root_of_inclusion(index, size, leaf, proof):
    """The root that a proof leads to (RFC 9162, 2.1.3.2); None if it has the wrong length."""
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return found if last == 0 and index < size else None


def is_consistent(old, new, old_root, new_root, proof):
    """Whether the tree of `old` leaves is how that of `new` leaves begins (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    if not proof:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    of_old = of_new = proof[0]
    for hash_ in proof[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            of_old, of_new = node_hash(hash_, of_old), node_hash(hash_, of_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            of_new = node_hash(of_new, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root


class Key:
    """A verifier key: NAME+ID+BASE64."""

    def __init__(self, text):
        self.name, key_id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        if len(raw) != 33 or raw[0] != 1:
            raise ValueError("not an Ed25519 key")
        self.id = sha256(self.name.encode(), b"\n", raw)[:4]
        if self.id.hex() != key_id:
            raise ValueError("its ID is not that of its name and bytes")
        # The ASN.1 that stands before the 32 bytes of an Ed25519 public key (RFC 8410).
        self.der = bytes.fromhex("302a300506032b6570032100") + raw[1:]

    def holds(self, text, signature):
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            for name, data in ("key", self.der), ("text", text), ("sig", signature):
                (place / name).write_bytes(data)
            command = "openssl pkeyutl -verify -pubin -keyform DER -rawin".split()
            command += ["-inkey", place / "key", "-in", place / "text", "-sigfile", place / "sig"]
            return subprocess.run(command, capture_output=True).returncode == 0


class Checkpoint:
    """A signed tree head."""

    def __init__(self, note):
        text, signatures = note.split("\n\n", 1)
        self.text = text + "\n"
        self.origin, size, root = text.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root, validate=True)
        lines = [line.split(" ") for line in signatures.splitlines() if line]
        if any(len(line) != 3 or line[0] != "—" for line in lines):
            raise ValueError("not a signed note")
        self.signatures = [(name, base64.b64decode(s, validate=True)) for _, name, s in lines]

    def is_signed_by(self, keys):
        found = False
        for key in keys:
            for name, signature in self.signatures:
                if name == key.name and signature[:4] == key.id:
                    if not key.holds(self.text.encode(), signature[4:]):
                        return False
                    found = True
        return found


def fail(why):
    sys.exit("DOES NOT HOLD: " + why)


def lines(name):
    with open(HERE / name, "rb") as file:
        return [line.rstrip(b"\n") for line in file]


def hashes(encoded):
    return [base64.b64decode(text, validate=True) for text in encoded]


def read_checkpoints(name):
    parts = (HERE / name).read_text(encoding="utf-8").split("\n\n")
    # Text, signatures, text, signatures: a blank line after each.
    return [Checkpoint("\n\n".join(parts[i : i + 2])) for i in range(0, len(parts) - 1, 2)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--key", action="append", help="a verifier key that you know")
    given = arguments.parse_args().key
    keys = [Key(text) for text in given or (HERE / "verifier-keys").read_text().splitlines()]

    head = Checkpoint((HERE / "checkpoint").read_text(encoding="utf-8"))
    if not head.is_signed_by(keys):
        fail("the checkpoint is not signed by the key")

    records, proofs = lines("records.jsonl"), [json.loads(line) for line in lines("proofs.jsonl")]
    if len(records) != len(proofs):
        fail("there are %d records and %d proofs" % (len(records), len(proofs)))
    first = proofs[0]["index"] if proofs else 0
    erased = 0
    for place, (record, proof) in enumerate(zip(records, proofs)):
        index = first + place
        entry = json.loads(record)
        if entry["seq"] != index or proof["index"] != index:
            fail("record %d is missing" % index)
        if "erased" in entry:
            erased += 1
            leaf = bytes.fromhex(entry["erased"])
        else:
            leaf = leaf_hash(record)
        if root_of_inclusion(index, head.size, leaf, hashes(proof["proof"])) != head.root:
            fail("record %d is not the one that was signed for" % index)

    earlier, links = read_checkpoints("checkpoints"), lines("consistency.jsonl")
    if len(earlier) != len(links):
        fail("there are %d checkpoints and %d consistency proofs" % (len(earlier), len(links)))
    for old, link in zip(earlier, map(json.loads, links)):
        if not old.is_signed_by(keys):
            fail("the checkpoint of %d records is not signed by the key" % old.size)
        proof = hashes(link["proof"])
        if link["old"] != old.size or not is_consistent(
            old.size, head.size, old.root, head.root, proof
        ):
            fail("the checkpoint of %d records does not lead to that of %d" % (old.size, head.size))

    print(
        "holds: %d records from %d, under a tree of %d, and %d earlier checkpoints"
        % (len(records), first, head.size, len(earlier))
    )
    if erased:
        print("%d of them erased: only their leaf hashes are here" % erased)
    if not given:
        print("The key is the one that came along: compare it with one that you got another way:")
        print("\n".join(key.name + " " + base64.b64encode(key.der[-32:]).decode() for key in keys))


if __name__ == "__main__":
    main()
