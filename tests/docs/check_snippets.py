#!/usr/bin/env python3
"""Checks that the snippets of the documentation are the programs that the tests run.

usage: check_snippets.py SOURCE_DIR

Every C++ and Python block of README.md and docs/*.md has to follow a line <!-- PATH --> that names the file it comes from
(or <!-- PATH:part --> for consecutive lines of it), JSON blocks have to parse, and relative links have to lead to a file,
those to a heading (PAGE.md#HEADING) to one that is there.
"""

import json
import pathlib
import re
import sys

FENCE = re.compile(r"(?:<!-- (?P<source>[^ ]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.S)
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)


def normal(text):
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def check_block(root, where, block):
    language, text, source = block["language"], block["text"], block["source"]
    if language == "json":
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            # Several objects on lines of their own, or an excerpt with "..." in it, are JSON lines.
            if not all(is_json(line) for line in text.splitlines() if line.strip()):
                yield f"{where}: a JSON block does not parse: {error}"
    if language not in ("cpp", "python"):
        return
    if not source:
        yield f"{where}: a {language} block without a line that names its file"
        return
    name, _, part = source.partition(":")
    path = root / name
    if not path.is_file():
        yield f"{where}: {name} does not exist"
        return
    content = normal(path.read_text())
    wanted = normal(text)
    if wanted not in content if part else wanted != content:
        yield f"{where}: the block differs from {name}"


def is_json(line):
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return False
    return True


def check_file(root, path):
    text = path.read_text()
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield from check_block(root, f"{path.relative_to(root)}:{line}", match.groupdict())
    for match in LINK.finditer(FENCE.sub("", text)):
        target = path.parent / match[1] if match[1] else path
        if not target.exists():
            yield f"{path.relative_to(root)}: the link to {match[1]} leads nowhere"
        elif match[2] and target.suffix == ".md" and match[2] not in anchors(target):
            yield f"{path.relative_to(root)}: {match[1]} has no heading #{match[2]}"


def anchors(path):
    """What a page's headings are called in links."""
    headings = HEADING.findall(FENCE.sub("", path.read_text()))
    words = [re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in words}


def main():
    root = pathlib.Path(sys.argv[1])
    problems = []
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md")), *sorted((root / "tests").rglob("README.md"))]
    for path in pages:
        problems += check_file(root, path)
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
