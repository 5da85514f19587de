#!/usr/bin/env python3
"""Checks that every module includes only what the table of docs/architecture.md allows.

usage: check_layering.py SOURCE_DIR
"""

import pathlib
import re
import sys

# Third-party headers that must not reach the library's users.
PRIVATE_HEADERS = re.compile(r"^(pcap|zlib|zstd|sqlite3|libpq|nlohmann|spdlog|openssl|libnftnl|libmnl|microhttpd|curl|sodium|ndpi)")
ROW = re.compile(r"^\| ([a-z]+) \| ([a-z, ]*?) ?\|", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


# module: the modules it may include directly. What those may include, it may, too.
ALLOWED = {}


def read_table(page):
    section = page.read_text(encoding="utf-8").split("\n## Modules\n")[1].split("\n## ")[0]
    for module, uses in ROW.findall(section):
        if module != "module":
            ALLOWED[module] = [use.strip() for use in uses.split(",") if use.strip()]


def reachable(module):
    result = {module}
    for direct in ALLOWED[module]:
        result |= reachable(direct)
    return result


def module_of_include(path):
    parts = path.split("/")
    if parts[0] == "nta" and len(parts) == 3:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in ALLOWED else None


def check_file(path, module, is_public):
    problems = []
    for match in INCLUDE.finditer(path.read_text(encoding="utf-8")):
        bracket, included = match.groups()
        if is_public and PRIVATE_HEADERS.match(included):
            problems.append(f"a public header includes {included}")
        # <net/if.h> is the system's.
        target = module_of_include(included) if bracket == '"' or included.startswith("nta/") else None
        if target is None:
            if bracket == '"' and is_public and not included.startswith(("nta/", "absl/")):
                problems.append(f"a public header includes {included}, which is not installed")
            continue
        if target == "base" or not included.startswith("nta/"):
            if is_public:
                problems.append(f"a public header includes the private {included}")
            elif target not in ("base", module):
                problems.append(f"includes {included}, which is private to {target}")
        elif target not in ALLOWED:
            problems.append(f"includes {included} of a module that the table does not know")
        elif target not in reachable(module):
            problems.append(f"{module} must not include {included}")
    return problems


def check_tree(root, is_public):
    files, problems = 0, []
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.suffix not in (".h", ".cc") or len(parts) < 2:
            continue
        files += 1
        if parts[0] not in ALLOWED:
            problems.append(f"{path}: module {parts[0]} is not in the table of docs/architecture.md")
            continue
        problems += [f"{path}: {problem}" for problem in check_file(path, parts[0], is_public)]
    return files, problems


def main():
    source = pathlib.Path(sys.argv[1])
    read_table(source / "docs" / "architecture.md")
    public_files, public_problems = check_tree(source / "include" / "nta", True)
    private_files, private_problems = check_tree(source / "src", False)
    problems = public_problems + private_problems
    print("\n".join(problems))
    print(f"{public_files} public and {private_files} private files, {len(problems)} problems")
    sys.exit(1 if problems or not public_files or not private_files else 0)


if __name__ == "__main__":
    main()
