#!/usr/bin/env python3
"""Writes reports that no test runner would write, to see that reading them stays quick and small.

    hostile.py FOLDER                      write all files (about 2.5 GB)
    hostile.py FOLDER --only NAME ...      write these
    hostile.py FOLDER --run PROGRAM        also read each with PROGRAM, and print what it took (needs GNU time)
    hostile.py --list
"""

import argparse
import gzip
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

MB = 1024 * 1024
MILLION = 1_000_000
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
OPEN = HEAD + b'<testsuites><testsuite name="s">\n'
CLOSE = b"</testsuite></testsuites>\n"
CASE = b'<testcase classname="c" name="n%d" time="0.001"/>\n'
LAST = b'<testcase name="last"/>\n'

FILES = {}


def hostile(name):
    def keep(write):
        FILES[name] = write
        return write

    return keep


def repeat(out, piece, count):
    """Writes a piece many times, without one huge string."""
    batch = max(1, MB // len(piece))
    block = piece * batch
    for _ in range(count // batch):
        out.write(block)
    out.write(piece * (count % batch))


def cases(out, size):
    """Writes cases of different names up to about so many bytes."""
    written = number = 0
    while written < size:
        block = b"".join(CASE % n for n in range(number, number + 1000))
        number += 1000
        written += len(block)
        out.write(block)


def inside(write):
    """Puts what is written into a suite, with one more case at the end."""

    def whole(out):
        out.write(OPEN)
        write(out)
        out.write(LAST + CLOSE)

    return whole


def simple(name, piece, count, head=OPEN, tail=LAST + CLOSE):
    def write(out):
        out.write(head)
        repeat(out, piece, count)
        out.write(tail)

    FILES[name] = write


# Entities


@hostile("billion-laughs.xml")
def _(out):
    out.write(b'<?xml version="1.0"?>\n<!DOCTYPE testsuites [\n<!ENTITY a0 "lol">\n')
    for n in range(1, 12):
        out.write(b'<!ENTITY a%d "%s">\n' % (n, b"&a%d;" % (n - 1) * 10))
    out.write(b']>\n<testsuites><testsuite name="&a11;"><testcase name="&a11;">')
    out.write(b'<failure message="&a11;">&a11;</failure></testcase></testsuite></testsuites>\n')


@hostile("xxe.xml")
def _(out):
    out.write(
        b'<?xml version="1.0"?>\n<!DOCTYPE testsuites SYSTEM "http://xxe.invalid/a.dtd" [\n'
        b'<!ENTITY host SYSTEM "file:///etc/hostname">\n<!ENTITY net SYSTEM "http://xxe.invalid/">\n'
        b'<!ENTITY % more SYSTEM "http://xxe.invalid/b.dtd">\n%more;\n]>\n'
        b'<testsuites><testsuite name="s"><testcase name="&host;">'
        b'<failure message="&net;">&host;&net;</failure></testcase></testsuite></testsuites>\n'
    )


@hostile("doctype-20mb-unclosed.xml")
def _(out):
    out.write(HEAD + b"<!DOCTYPE testsuites [\n")
    repeat(out, b'<!ENTITY a "b">\n', 20 * MB // 16)
    out.write(b'<testsuites><testsuite name="s">\n' + LAST + CLOSE)


simple("references-unknown.xml", b"&a;", 7 * MILLION, OPEN + b"<testcase name='n'><failure>", b"</failure></testcase>" + CLOSE)
simple("ampersands.xml", b"&", 20 * MILLION, OPEN + b"<testcase name='n'><failure>", b"</failure></testcase>" + CLOSE)
simple("ampersands-attribute.xml", b"&", 20 * MILLION, OPEN + b'<testcase name="', b'"/>' + CLOSE)

# Sizes

simple("attribute-100mb.xml", b"x", 100 * MB, OPEN + b'<testcase name="', b'"/>' + LAST + CLOSE)
simple("attribute-100mb-invalid.xml", b"\xff", 100 * MB, OPEN + b'<testcase name="', b'"/>' + LAST + CLOSE)
simple("attributes-3mb-invalid.xml", b'<testcase name="%s"><failure message="%s"/></testcase>' % (b"\xff" * (3 * MB), b"\xfe" * (3 * MB)), 16)
simple("cdata-100mb.xml", b"x", 100 * MB, OPEN + b"<testcase name='n'><failure><![CDATA[", b"]]></failure></testcase>" + LAST + CLOSE)
simple("text-100mb.xml", b"x", 100 * MB, OPEN + b"<testcase name='n'><failure>", b"</failure></testcase>" + LAST + CLOSE)
simple("text-100mb-invalid.xml", b"\xff", 100 * MB, OPEN + b"<testcase name='n'><failure>", b"</failure></testcase>" + LAST + CLOSE)
simple("comment-100mb.xml", b"x", 100 * MB, OPEN + b"<!--", b"-->" + LAST + CLOSE)
simple("tag-name-100mb.xml", b"x", 100 * MB, OPEN + b"<", b"/>" + LAST + CLOSE)
simple("system-out-100mb.xml", b"line\n", 20 * MB, OPEN + b"<testcase name='n'><system-out>", b"</system-out></testcase>" + LAST + CLOSE)
simple("raw-markup-100mb.xml", b'<a b="' + b"<" * 65536 + b'"/>', 1600)
simple("raw-markup-100mb-one.xml", b"<", 100 * MB, OPEN + b'<a b="', b'"/>' + LAST + CLOSE)
simple("spaces-before-root-100mb.xml", b" ", 100 * MB, b"", OPEN + LAST + CLOSE)


@hostile("cases-100mb.xml")
@inside
def _(out):
    cases(out, 100 * MB)


# Left open


def unclosed(name, start):
    @hostile(name)
    @inside
    def _(out):
        out.write(start)
        cases(out, 20 * MB)


unclosed("unclosed-cdata-20mb.xml", b"<testcase name='n'><failure><![CDATA[text</failure></testcase>\n")
unclosed("unclosed-comment-20mb.xml", b"<!-- text\n")
unclosed("unclosed-quote-20mb.xml", b'<testcase name="n>\n')
unclosed("unclosed-single-quote-20mb.xml", b"<testcase name='n>\n")
unclosed("unclosed-pi-20mb.xml", b"<?php text\n")
unclosed("unclosed-bang-20mb.xml", b"<!DOCTYPE text [\n")

simple("million-cdata-opens.xml", b"<![CDATA[", MILLION)
simple("million-comment-opens.xml", b"<!--", MILLION)
simple("million-pi-opens.xml", b"<?", MILLION)
simple("million-bangs.xml", b"<!", MILLION)
simple("million-doctype-opens.xml", b"<!DOCTYPE a [", MILLION)
simple("million-quotes.xml", b'<a "', MILLION)
simple("million-less-than.xml", b"<", MILLION)
simple("million-unclosed-quotes.xml", b'<testcase name="a>\n', MILLION)
simple("million-unclosed-quotes-mixed.xml", b"<testcase name=\"a>\n<testcase name='a>\n", MILLION // 2)
simple("million-unmatched-ends.xml", b"</a>", MILLION)
simple("million-unmatched-ends-deep.xml", b"</a>", MILLION, OPEN + b"<b>" * 99_000)
simple("million-broken-cdata.xml", b"<![x]]>\n", MILLION)
simple("million-broken-comments.xml", b"<!-x-->\n", MILLION)
simple("million-broken-doctypes.xml", b"<!Dx>\n\n\n", MILLION)
simple("million-broken-pis.xml", b"<?>\n<??>", MILLION)

# Counts


@hostile("depth-100000.xml")
def _(out):
    out.write(HEAD)
    repeat(out, b'<testsuite name="s">', 100_000)
    out.write(LAST)
    repeat(out, b"</testsuite>", 100_000)


@hostile("depth-million.xml")
def _(out):
    out.write(HEAD)
    repeat(out, b'<testsuite name="s">', MILLION)
    out.write(LAST)
    repeat(out, b"</testsuite>", MILLION)


simple("million-twins.xml", b'<testcase name="n"/>\n', MILLION)
simple("million-twins-failed.xml", b'<testcase name="n"><failure message="m"/></testcase>\n', MILLION)
simple("million-nested-cases.xml", b'<testcase name="n">\n', MILLION)
simple("million-flaky.xml", b"<flakyFailure/>", MILLION, OPEN + b"<testcase name='n'>", b"</testcase>" + LAST + CLOSE)
simple("million-reruns.xml", b"<rerunFailure/>", MILLION, OPEN + b"<testcase name='n'><failure/>", b"</testcase>" + LAST + CLOSE)
simple("million-documents.xml", b'<testsuite name="s"><testcase name="n"/></testsuite>\n', MILLION, b"", b"")
simple("million-same-attributes.xml", b' name="n"', MILLION, OPEN + b"<testcase", b"/>" + LAST + CLOSE)
simple("million-bad-attributes.xml", b" a b=", MILLION, OPEN + b"<testcase", b"/>" + LAST + CLOSE)


@hostile("million-attributes.xml")
@inside
def _(out):
    out.write(b"<testcase")
    for n in range(MILLION):
        out.write(b' a%d="%d"' % (n, n))
    out.write(b' name="n"/>\n')


@hostile("million-suites.xml")
@inside
def _(out):
    for n in range(MILLION):
        out.write(b'<testsuite name="s%d"><testcase name="n"/></testsuite>\n' % n)


def long_path(name, case, count):
    """Few bytes in the file, many in each test's full name."""

    @hostile(name)
    def _(out):
        out.write(HEAD)
        for n in range(32):
            out.write(b'<testsuite name="%s">' % (b"%c" % (65 + n) * 4096))
        for n in range(count):
            out.write(case % (n, n))
        out.write(b"</testsuite>" * 32)


long_path("long-path-classes.xml", b'<testcase classname="c%d" name="n%d"/>\n', 5000)
long_path("long-path-class-is-name.xml", b'<testcase classname="c%d" name="c%d"/>\n', 100_000)
long_path("long-path-suites.xml", b'</testsuite><testsuite name="t%d"><testcase name="n%d"/>\n', 5000)


@hostile("names-4kb-20mb.xml")
@inside
def _(out):
    for n in range(5000):
        out.write(b'<testcase name="%08d%s"/>\n' % (n, b"x" * 4100))


# Packed


def packed(name, *parts):
    @hostile(name)
    def _(out):
        with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0, filename="") as file:
            for piece, count in parts:
                repeat(file, piece, count)


ROUND = b"".join(CASE % n for n in range(1000))
packed("gzip-zeros-1gb.xml.gz", (b"\0", 1024 * MB))
packed("gzip-cases-1gb.xml.gz", (OPEN, 1), (ROUND, 1024 * MB // len(ROUND)), (CLOSE, 1))
packed("gzip-attribute-1gb.xml.gz", (OPEN + b'<testcase name="', 1), (b"x", 1024 * MB), (b'"/>' + CLOSE, 1))
packed("gzip-spaces-1gb.xml.gz", (OPEN, 1), (b" ", 1024 * MB), (LAST + CLOSE, 1))


@hostile("gzip-million-members.xml.gz")
def _(out):
    out.write(gzip.compress(OPEN, mtime=0))
    repeat(out, gzip.compress(b"", mtime=0), MILLION)
    out.write(gzip.compress(LAST + CLOSE, mtime=0))


@hostile("gzip-cut.xml.gz")
def _(out):
    out.write(gzip.compress(OPEN + ROUND * 100 + CLOSE, mtime=0)[:-3000])


@hostile("gzip-garbage-after.xml.gz")
def _(out):
    out.write(gzip.compress(OPEN + ROUND + CLOSE, mtime=0) + random.Random(1).randbytes(MB))


@hostile("gzip-twice.xml.gz")
def _(out):
    out.write(gzip.compress(gzip.compress(OPEN + ROUND + CLOSE, mtime=0), mtime=0))


@hostile("gzip-header-only.xml.gz")
def _(out):
    out.write(b"\x1f\x8b")


@hostile("gzip-long-name.xml.gz")
def _(out):
    data = OPEN + LAST + CLOSE
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    out.write(b"\x1f\x8b\x08\x08\0\0\0\0\0\xff")
    repeat(out, b"x", 100 * MB)
    out.write(b"\0" + body.compress(data) + body.flush())
    out.write(zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little"))


# Encodings


def encoded(name, mark, codec, size, declared="UTF-16", name_part="n"):
    @hostile(name)
    def _(out):
        text = io.BytesIO()
        text.write(b'<?xml version="1.0" encoding="%s"?>\n<testsuite name="s\xc3\xa9\xe2\x82\xac">\n' % declared.encode())
        plain = io.BytesIO()
        cases(plain, size)
        text.write(plain.getvalue().replace(b' name="n', b' name="' + name_part.encode()))
        text.write(LAST + b"</testsuite>\n")
        out.write(mark + text.getvalue().decode().encode(codec, "replace"))


encoded("utf16le.xml", b"\xff\xfe", "utf-16-le", 10_000)
encoded("utf16be.xml", b"\xfe\xff", "utf-16-be", 10_000)
encoded("utf16le-20mb.xml", b"\xff\xfe", "utf-16-le", 10 * MB)
encoded("utf16be-20mb.xml", b"\xfe\xff", "utf-16-be", 10 * MB)
encoded("utf16le-no-mark-20mb.xml", b"", "utf-16-le", 10 * MB)
encoded("utf16be-no-mark-20mb.xml", b"", "utf-16-be", 10 * MB)
encoded("utf16-declared-but-utf8.xml", b"", "utf-8", 300_000)
encoded("latin1-20mb.xml", b"", "iso-8859-1", 20 * MB, "ISO-8859-1")
encoded("shift-jis-20mb.xml", b"", "shift_jis", 20 * MB, "Shift_JIS")
encoded("utf16le-japanese-20mb.xml", b"\xff\xfe", "utf-16-le", 8 * MB, name_part="日本語の名前 ")
encoded("utf16be-russian-20mb.xml", b"\xfe\xff", "utf-16-be", 8 * MB, name_part="имя ")
encoded("shift-jis-japanese-20mb.xml", b"", "shift_jis", 16 * MB, "Shift_JIS", "日本語の名前 ")
encoded("windows-1251-russian-20mb.xml", b"", "cp1251", 16 * MB, "windows-1251", "имя ")
encoded("utf8-mark-japanese-20mb.xml", b"\xef\xbb\xbf", "utf-8", 16 * MB, "UTF-8", "日本語の名前 ")
encoded("utf32le.xml", b"\xff\xfe\0\0", "utf-32-le", 10_000, "UTF-32")
encoded("utf32be.xml", b"\0\0\xfe\xff", "utf-32-be", 10_000, "UTF-32")
encoded("utf7-declared.xml", b"", "utf-8", 10_000, "UTF-7")
encoded("replacement-declared.xml", b"", "utf-8", 10_000, "ISO-2022-KR")
encoded("utf16-mark-but-utf8-20mb.xml", b"\xff\xfe", "utf-8", 20 * MB)

# Not reports


@hostile("random-20mb.xml")
def _(out):
    out.write(random.Random(1).randbytes(20 * MB))


@hostile("random-in-case-20mb.xml")
@inside
def _(out):
    out.write(b'<testcase name="n"><failure>')
    out.write(random.Random(2).randbytes(20 * MB))
    out.write(b"</failure></testcase>")


@hostile("random-markup-20mb.xml")
@inside
def _(out):
    source = random.Random(3)
    pieces = [b"<", b">", b'"', b"'", b"</", b"/>", b"<!", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>", b"&", b";", b"=", b" ", b"\n",
              b"<testcase ", b"</testcase>", b"<testsuite ", b"</testsuite>", b"<failure>", b"</failure>", b"name=", b"\xff", b"\0", b"x", b"<!DOCTYPE ", b"["]
    for _ in range(20):
        out.write(b"".join(source.choices(pieces, k=MB * 2 // 7)))


@hostile("page.html")
def _(out):
    out.write(b"<!DOCTYPE html>\n<html lang=en><head><title>502 Bad Gateway</title><meta charset=utf-8><link rel=stylesheet href=a.css></head>\n")
    out.write(b"<body onload='a()'>" + b"<p>Sorry<br>try again &copy; &nbsp;<img src=a.png alt=x>\n" * 5000 + b"</body></html>\n")


simple("nuls-20mb.xml", b"\0", 20 * MB, b"", b"")
simple("nuls-inside.xml", b"\0", MB, OPEN + b"<testcase name='n'><failure>", b"</failure></testcase>" + LAST + CLOSE)
simple("no-line-break.ndjson", b"x", 100 * MB, b'{"run": "', b'"}')
simple("long-words.ndjson", b'{"run":"1","test":"t","status":"%s"}\n' % (b"x" * 1_000_000), 100, b'{"run":"1","test":"t","status":"ok"}\n', b"")
simple("long-numbers.ndjson", b'{"run":"1","test":"t","status":"ok","attempt":"%s"}\n' % (b"x" * 1_000_000), 100, b'{"run":"1","test":"t","status":"ok"}\n', b"")
simple("deep.ndjson", b"[", 100_000, b'{"run":', b"\n")
simple("million-lines.ndjson", b'{"run":"1","test":"t","status":"ok"}\n', MILLION, b"", b"")


@hostile("million-runs.ndjson")
def _(out):
    for n in range(MILLION):
        out.write(b'{"run":"%d","test":"t","status":"ok"}\n' % n)


def measure(program, path):
    """Reads one file; prints exit code, seconds, most memory in MB, cases, and the codes of the notes."""
    gnu_time = shutil.which("time")
    if gnu_time is None:
        sys.exit("GNU time is not installed")
    with tempfile.NamedTemporaryFile() as figures, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        time = [gnu_time, "-q", "-o", figures.name, "-f", "%e %U %S %M"]
        ingest = [program, "flakes", "ingest", "--dry-run", "--format", "json", str(path)]
        # A file that grows without bound must not take the machine with it.
        limit = ["prlimit", f"--as={12 * 1024 * MB}"] if shutil.which("prlimit") else []
        try:
            code = subprocess.run(limit + ["timeout", "120"] + time + ingest, stdout=output, stderr=errors, check=False).returncode
        except OSError as error:
            sys.exit(str(error))
        figure = pathlib.Path(figures.name).read_text().split()
        output.seek(0, os.SEEK_END)
        size = output.tell()
        output.seek(0)
        text = output.read()
        errors.seek(0)
        words = errors.read(4096).decode(errors="replace")
    elapsed, user, system, memory = map(float, figure if len(figure) == 4 else ["nan"] * 4)
    # Other work on the machine stretches the time that passes, not the time that was used.
    seconds, memory = user + system, memory / 1024
    counted, notes = "-", {}
    try:
        document = json.loads(text)
        counted = document["totals"]["cases"]
        for file in document["files"]:
            for note in file["notes"]:
                notes[note["code"]] = notes.get(note["code"], 0) + 1
    except (ValueError, KeyError, TypeError):
        pass
    said = ", ".join(f"{code} {count}" if count > 1 else code for code, count in sorted(notes.items()))
    if not said:
        said = next((line for line in words.splitlines() if re.search("error|panic", line)), "")[:200]
    flags = []
    size_mb = path.stat().st_size / MB
    # An unpacked size where the file is packed.
    if "-1gb" in path.name:
        size_mb = 1024
    if seconds > max(0.2, 2 * size_mb / 100):
        flags.append("SLOW")
    if memory > 64:
        flags.append("LARGE")
    if code in (1, 101, 124, 134, 139) or code < 0 or "panicked" in words:
        flags.append("BAD")
    if size > MB:
        flags.append(f"OUTPUT {size // MB} MB")
    print(f"{path.name}\t{path.stat().st_size / MB:.1f}\t{code}\t{elapsed:.2f}\t{seconds:.2f}\t{memory:.0f}\t{counted}\t{said}\t{' '.join(flags)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(FILES), default=list(FILES))
    parser.add_argument("--run", metavar="PROGRAM")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(FILES))
        return
    if arguments.folder is None:
        parser.error("name a folder")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.run:
        print("file\tMB\texit\telapsed\tCPU\tRSS MB\tcases\tnotes\t")
    for name in arguments.only:
        path = arguments.folder / name
        if not path.exists():
            unfinished = path.with_name(name + ".part")
            with open(unfinished, "wb") as out:
                FILES[name](out)
            unfinished.rename(path)
        if arguments.run:
            measure(arguments.run, path)


if __name__ == "__main__":
    main()
