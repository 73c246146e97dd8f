"""securesystemslib and in-toto-attestation accept what we write, and not what was changed; we accept what securesystemslib signs."""

import base64
import copy
import json
import pathlib
import random
import subprocess
import sys

import google.protobuf.json_format as json_format
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

binary = sys.argv[1]
here = pathlib.Path.cwd()
dice = random.Random(8)
PREDICATES = {
    "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
    "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
    "https://slsa.dev/verification_summary/v1": vsa_pb2.VerificationSummary,
}


def ours(path, key):
    return subprocess.run([binary, "provenance", "verify", path, "--key", key], capture_output=True).returncode


def theirs(envelope, key):
    """Whether securesystemslib accepts an envelope."""
    try:
        read = Envelope.from_dict(copy.deepcopy(envelope))
        return bool(read.verify([key], 1))
    except (VerificationError, ValueError):
        return False


def statement_is_valid(text):
    """Whether in-toto-attestation takes the statement, and knows every field of a predicate that it knows."""
    try:
        read = json_format.Parse(text, statement_pb2.Statement())
        Statement.copy_from_pb(read).validate()
    except (ValueError, json_format.ParseError):
        return None
    kind = PREDICATES.get(read.predicate_type)
    if kind is not None:
        fields = json.loads(text)["predicate"]
        if kind is vsa_pb2.VerificationSummary:
            # A list in the specification and in today's proto; this release has one text.
            assert isinstance(fields.pop("verifiedLevels"), list)
        predicate = json_format.Parse(json.dumps(fields), kind())
        if read.predicate_type == "https://slsa.dev/provenance/v1":
            assert predicate.run_details.builder.id.endswith("/builder/self-attested@v1")
    return read.predicate_type


def changed(envelope):
    """Yields the envelope with one byte of payload, signature and type changed."""

    def spoil(data):
        data = bytearray(data)
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        return bytes(data)

    def again(data):
        return base64.b64encode(spoil(base64.b64decode(data))).decode()

    other = copy.deepcopy(envelope)
    other["payload"] = again(other["payload"])
    yield other
    other = copy.deepcopy(envelope)
    other["signatures"][0]["sig"] = again(other["signatures"][0]["sig"])
    yield other
    other = copy.deepcopy(envelope)
    kind = list(other["payloadType"])
    kind[dice.randrange(len(kind))] = "~"
    other["payloadType"] = "".join(kind)
    yield other


accepted, refused, kinds = 0, 0, {}
for path in sorted(here.glob("signed/*/*-dsse/*.dsse.json")):
    name = path.parts[-3]
    file = here / f"keys/{name}.pem.pub"
    public = load_pem_public_key(file.read_bytes())
    envelope = json.loads(path.read_text())
    key = SSlibKey.from_crypto(public, keyid=envelope["signatures"][0]["keyid"])
    assert theirs(envelope, key), path
    assert ours(path, file) == 0, path
    text = base64.b64decode(envelope["payload"])
    # What was signed is the statement's file, byte for byte.
    statement = here / path.parts[-2].removesuffix("-dsse") / path.name.replace(".dsse.", ".statement.")
    assert text == statement.read_bytes(), path
    kind = statement_is_valid(text)
    assert kind, path
    kinds[kind] = kinds.get(kind, 0) + 1
    accepted += 1
    for other in changed(envelope):
        assert not theirs(other, key), path
        spoilt = here / "spoilt.dsse.json"
        spoilt.write_text(json.dumps(other))
        assert ours(spoilt, file) == 14, path
        refused += 1
print(f"securesystemslib: {accepted} envelopes accepted, {refused} changed ones refused by both")
print(f"in-toto-attestation: {sum(kinds.values())} statements valid, of {len(kinds)} kinds")
assert len(kinds) == 7 and accepted == 4 * (8 + 8 + 2), (kinds, accepted)

# Statements that lack what they must have: both refuse.
statement = json.loads((here / "local/svr.statement.json").read_text())
key = here / "keys/own-ed25519.pem"
for pointer in ["_type", "subject", "predicateType", "digest"]:
    broken = copy.deepcopy(statement)
    if pointer == "digest":
        del broken["subject"][0]["digest"]
    else:
        del broken[pointer]
    text = json.dumps(broken)
    assert statement_is_valid(text) is None, pointer
    (here / "broken.statement.json").write_text(text)
    run = subprocess.run([binary, "provenance", "sign", "broken.statement.json", "--key", key], capture_output=True)
    assert run.returncode == 65, run

# What securesystemslib signs, we accept; under another key, or with a byte changed, we do not.
text = (here / "local/svr.statement.json").read_bytes()
for private in [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())]:
    signer = CryptoSigner(private)
    envelope = Envelope(text, "application/vnd.in-toto+json", {})
    envelope.sign(signer)
    file = here / "theirs.pub"
    file.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    path = here / "theirs.dsse.json"
    path.write_text(json.dumps(envelope.to_dict()))
    assert ours(path, file) == 0
    assert ours(path, here / "keys/own-p256.pem.pub") == 14
    for other in changed(envelope.to_dict()):
        path.write_text(json.dumps(other))
        assert ours(path, file) == 14
print("ours: envelopes of securesystemslib accepted with Ed25519 and P-256, changed ones refused")
