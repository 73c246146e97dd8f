"""Compares the number of components and licences with cyclonedx-python-lib's and spdx-tools', file by file.

Every CycloneDX document that the strict validator takes for valid must be read. The library holds components and licences in sets, so equal
ones count once there; where its counts are lower, the plain JSON is counted, and that has to be ours.
"""
import json
import pathlib
import sys

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.model import SpdxNoAssertion
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser


def documents(folders):
    for folder in folders:
        for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
            try:
                document = json.loads(path.read_bytes())
            except (ValueError, UnicodeDecodeError):
                continue
            if isinstance(document, dict) and (document.get("bomFormat") == "CycloneDX" or "spdxVersion" in document):
                yield path, document


def library(document):
    """Returns what the library counts, or nothing where it cannot read the document."""
    if "spdxVersion" in document:
        try:
            packages = JsonLikeDictParser().parse(document).packages
        except Exception:  # It raises what its parts raise.
            return None
        licences = [one for package in packages for one in (package.license_concluded, package.license_declared)]
        return len(packages), sum(one is not None and not isinstance(one, SpdxNoAssertion) for one in licences)
    try:
        bom = Bom.from_json(document)
    except Exception:  # It raises what its parts raise.
        return None

    def walk(components):
        for component in components:
            yield component
            yield from walk(component.components)

    subject = bom.metadata.component
    components = list(walk(bom.components)) + ([subject, *walk(subject.components)] if subject else [])
    return len(components), sum(len(component.licenses) for component in components)


def plain(document):
    def walk(parent):
        for component in parent.get("components") or []:
            yield component
            yield from walk(component)

    if "spdxVersion" in document:
        packages = document.get("packages") or []
        licences = [package.get(name) for package in packages for name in ("licenseConcluded", "licenseDeclared")]
        return len(packages), sum(licence not in (None, "", "NOASSERTION") for licence in licences)
    subject = (document.get("metadata") or {}).get("component")
    components = list(walk(document)) + ([subject, *walk(subject)] if subject else [])
    return len(components), sum(len(component.get("licenses") or []) for component in components)


def is_valid(document):
    try:
        version = SchemaVersion.from_version(document["specVersion"])
        return JsonStrictValidator(version).validate_str(json.dumps(document)) is None
    except Exception:
        return False


command, work, *folders = sys.argv[1:]
work = pathlib.Path(work)
if command == "list":
    (work / "list").write_text("".join(f"{path}\n" for path, _ in documents(folders)))
    sys.exit()

equal = twice = unread = refused = 0
bad = []
for line in (work / "list.counts").read_text().splitlines():
    path, components, licences = line.split("\t")
    document = json.loads(pathlib.Path(path).read_bytes())
    if components == "refused":
        refused += 1
        print(f"refused {pathlib.Path(path).name}: {licences}")
        if is_valid(document):
            bad.append(f"{path} is valid and was refused: {licences}")
        continue
    ours = int(components), int(licences)
    theirs = library(document)
    if ours == theirs:
        equal += 1
    elif ours != plain(document):
        bad.append(f"{path}: maestro {ours}, the library {theirs}, the JSON {plain(document)}")
    elif theirs is None:
        unread += 1
        if is_valid(document):
            print(f"{path} is valid, and the library raises; maestro and the JSON {ours}")
    elif theirs > ours:
        bad.append(f"{path}: the library has more: {theirs}, maestro {ours}")
    else:
        twice += 1
        print(f"{pathlib.Path(path).name}: the library {theirs}, maestro and the JSON {ours}: equal ones count once there")
print(f"equal {equal}, equal but for what is there twice {twice}, not read by the library {unread}, refused {refused}, wrong {len(bad)}")
sys.exit("\n".join(bad) if bad or equal < 100 and len(folders) > 1 else 0)
