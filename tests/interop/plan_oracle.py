"""Judges `maestro plan` on a real history (REPOSITORY COMMITS BINARY) by a second, simple reading of Cargo, npm and uv workspaces: nearest
projects of each path, before and after, and all that depend on them. Slots are compared where no lock file changed: it reads none."""
import collections, contextlib, functools, json, re, subprocess, sys, tomli, yaml; from posixpath import basename, dirname, join, normpath  # noqa
FILES = {"Cargo.toml": "cargo", "package.json": "npm", "pyproject.toml": "python", "pnpm-workspace.yaml": "pnpm"}
PACKAGE, OWN = {"cargo": ["package"], "npm": [], "python": ["project"]}, ("src", "tests", "benches", "examples"); LOCKS = {"Cargo.lock", "uv.lock", "pnpm-lock.yaml", "package-lock.json", "yarn.lock"}
SECTIONS = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "dev-dependencies", "build-dependencies")
GLOB = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
def at(table, *keys):  # the table below these keys, or an empty one
    table = functools.reduce(lambda inner, key: inner.get(key) if isinstance(inner, dict) else None, keys, table)
    return table if isinstance(table, dict) else {}
def words(*lists): return [word for value in lists if isinstance(value, list) for word in value if isinstance(word, str)]
def normal(name): return re.sub(r"[-_.]+", "-", re.match(r"[@\w./-]*", str(name))[0]).lower()
def above(path): return [path[: slash.start()] for slash in re.finditer("/", path)][::-1] + ["."] * (path != ".")
def matcher(top, globs):
    tokens = ([GLOB.get(t) or re.escape(t) for t in re.findall(r"\*\*/|.", normpath(join(top, glob)) + "/")] for glob in globs)
    return re.compile("|".join(map("".join, tokens))).fullmatch
def needs(kind, doc, here, root, top):  # what a project depends on: /folders and names
    for name, spec in [(n, s) for t in [doc, *at(doc, "target").values()] for section in SECTIONS for n, s in at(t, section).items()]:
        base, spec = (top, at(root, "workspace", "dependencies", name)) if at(spec).get("workspace") else (here, spec)
        path = at(spec).get("path") if kind == "cargo" else (re.match("(?:file|link|portal):(.*)", str(spec)) or [None, None])[1]
        yield "/" + normpath(join(base, str(path))) if path else normal(name) if kind == "npm" else None
    groups, hooks = {"optional-dependencies": doc.get("dependency-groups")}, at(doc, "tool", "hatch", "metadata", "hooks").values()
    for table in [at(doc, "project"), groups, *hooks]:
        yield from map(normal, words(at(table).get("dependencies"), *at(table, "optional-dependencies").values()))
@functools.cache
def graph(blobs):  # {project: who depends on it}, and the roots above others
    docs = {(kind, folder): doc for (kind, folder), blob in blobs if blob and (doc := manifest(kind, blob)) is not None}
    packages = {(k, f) for k, f in docs if k in PACKAGE and "node_modules" not in f and (k == "npm" or at(docs[k, f], *PACKAGE[k]))}
    dependents, roots = {}, set()
    for kind, top in sorted([key for key in docs if key[0] in PACKAGE], key=lambda key: (len(above(key[1])), key)):
        root, outer = docs[kind, top], {(k, folder) for folder in above(top) for k in PACKAGE if folder != "." or k == kind}
        table = docs.get(("pnpm", top)) or root.get("workspaces") if kind == "npm" else root.get("workspace")
        table = at(root, "tool", "uv").get("workspace") if kind == "python" else table
        if table is None and top != "." or (kind, top) in dependents or outer & dependents.keys() - roots: continue
        globs = words(table, at(table).get("members"), at(table).get("packages"))
        member, out = matcher(top, globs), [g[1:] for g in globs if g[0] == "!"] + [f + "/**" for f in words(at(table).get("exclude"))]
        out, names = matcher(top, out), collections.defaultdict(set, {"/" + folder: {folder} for k, folder in packages if k == kind})
        queue = [f for k, f in packages if k == kind and (f == top or member(f + "/") and not out(f + "/"))]
        for folder in queue: names[normal(at(docs[kind, folder], *PACKAGE[kind]).get("name"))].add(folder)
        for here in queue:
            dependents.setdefault((kind, here), set())
            for there in [found for needed in needs(kind, docs[kind, here], here, root, top) for found in names.get(needed, ())]:
                dependents.setdefault((kind, there), set()).add((kind, here))
                queue += {there}.difference(queue)
        roots |= {(kind, top) for folder in queue if top in above(folder)}
    return dependents, roots, packages
def owners(path, projects, roots, packages):
    nearest = [next(((k, f) for f in above(path) if (k, f) in projects), (k, None)) for k in PACKAGE]
    for kind, folder in nearest:  # a project at the top has what lies below no other manifest, but for lock files
        deeper = folder == "." and any((k, f) in packages for f in above(path)[:-1] for k in PACKAGE)
        rest, deeper = path.removeprefix(f"{folder}/"), deeper or basename(path) in LOCKS or folder == "." and FILES.get(basename(path), kind) != kind
        if folder and not deeper and ((kind, folder) not in roots or FILES.get(rest) == kind or rest.split("/")[0] in OWN): yield kind, folder
@functools.cache
def manifest(kind, blob):
    CAT.stdin.write(f"{blob}\n".encode()), CAT.stdin.flush()
    text = CAT.stdout.read(int(CAT.stdout.readline().split()[-1]) + 1)
    with contextlib.suppress(ValueError, yaml.YAMLError, RecursionError): return at({"npm": json.loads, "pnpm": yaml.safe_load}.get(kind, tomli.loads)(text.decode("utf-8-sig")))
def run(*command): return subprocess.run(command, stdout=subprocess.PIPE).stdout.decode("utf-8", "surrogateescape")
REPOSITORY, COMMITS, MAESTRO = sys.argv[1:]; CAT = subprocess.Popen(["git", "-C", REPOSITORY, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
chain = run("git", "-C", REPOSITORY, "rev-list", "--first-parent", f"--max-count={int(COMMITS) + 1}", "HEAD").split()[::-1]; total, reasons, blobs = collections.Counter(), collections.Counter(), {}
for parent, commit in zip(["4b825dc642cb6eb9a060e54bf8d69288fbee4904", *chain], chain):  # the first is git's empty tree
    fields = run("git", "-C", REPOSITORY, "diff-tree", "-r", "-z", "--no-renames", parent, commit).split("\0")
    changed, old, found = dict(zip(fields[1::2], map(str.split, fields[::2]))), graph(frozenset(blobs.items())), {}  # path: modes, blobs, status
    for path, (_, mode, _, blob, _) in changed.items():
        blobs |= {(FILES[basename(path)], dirname(path) or "."): mode[:3] == "100" and blob} if basename(path) in FILES else {}
    if commit == chain[0]: continue
    new = graph(frozenset(blobs.items()))
    says = {path: [manifest(FILES[basename(path)], blob) if set(blob) > {"0"} else None for blob in row[2:4]] for path, row in changed.items() if basename(path) in FILES}
    queue = [(owner, path) for path in changed if path not in says or says[path][0] != says[path][1] for side in (old, new) for owner in owners(path, *side[:2], old[2] | new[2])]
    for project, path in queue:
        if project not in found:
            found[project] = path
            queue += [(other, path) for dependents, *_ in (old, new) for other in dependents.get(project, ())]
    expected = {":".join(project): path for project, path in found.items() if project in new[0]}
    plan = json.loads(run(MAESTRO, "-C", REPOSITORY, "plan", "--base", parent, "--head", commit, "--format", "json"))
    affected, everything = {project["id"]: project["affected"] for project in plan["projects"]}, plan["mode"] == "all"; known = not everything and not any(basename(path) in LOCKS | {"pnpm-workspace.yaml"} for path in changed)
    for name in (missed := [name for name in expected if not everything and not affected.get(name)]): print("MISS", commit, name, "for", expected[name], "" if name in affected else "(not listed)")
    reasons.update({reason["code"] for reason in plan["reasons"]} if everything else ()); selected = sum(bool(affected.get(":".join(project))) for project in new[0] if not everything)
    total.update({"commits": 1, "all": everything, "judged": len(expected) * known, "selected": selected * known, "slots_known": known, "misses": len(missed)})
print(json.dumps({"repository": REPOSITORY, "projects": len(new[0]), **total, "all_because": reasons})); sys.exit(total["misses"] > 0)
