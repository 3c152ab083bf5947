# SPDX-License-Identifier: MIT
"""Holds the Markdown pages against reality.

    documentation.py commands --program build/release/bin/zynpu [--update] [PAGE]...
    documentation.py links [PAGE]...

commands: in each block fenced as ```console, a line "$ COMMAND" is run by the shell in a scratch folder that shows the
project's models/ and examples/, and the lines below it must be what it prints. A line "..." stands for any lines. Times
("12.3 ms", "0.8 s") and costs ("7 modelled cycles", bundles, bytes) may differ: the first depend on the
host, the second change with every improvement of the compiler, and --update brings them up to date. A command may fail only if its comment says so: "$ zynpu run missing  # exit 2".
--update writes what was printed into the page instead.

links: every relative link of a page leads to a file of the tree.

Exits 1 and says page, line and difference where something is not as written.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
COST = re.compile(r"\b\d+(\.\d+)? ?((ms|us|µs|s)\b|(?=(modelled |predicted )?cycles|bundles|bytes))")
EXPECTED_EXIT = re.compile(r"#\s*exit (\d+)\s*$")
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def all_pages():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")),
            *sorted((ROOT / "models").glob("**/*.md"))]


def name(page):
    return page.relative_to(ROOT) if page.is_relative_to(ROOT) else page


def steps(lines):
    """Yields (index of the "$" line, command, first and last+1 index of its expected output) of a page."""
    index = 0
    while index < len(lines):
        if lines[index].strip() != "```console":
            index += 1
            continue
        index += 1
        while index < len(lines) and lines[index].strip() != "```":
            if not lines[index].startswith("$ "):
                raise ValueError(f"line {index + 1}: a console block must start with a command, '$ ...'")
            start = index
            index += 1
            while index < len(lines) and lines[index].strip() != "```" and not lines[index].startswith("$ "):
                index += 1
            yield start, lines[start][2:], start + 1, index
        index += 1


def matches(expected, printed):
    """Whether the printed lines are the expected ones; "..." takes any number of lines, costs are not compared."""
    if not expected:
        return not printed
    head, *rest = expected
    if head.strip() == "...":
        return any(matches(rest, printed[skip:]) for skip in range(len(printed) + 1))
    if not printed:
        return False
    same = COST.sub("COST", head.rstrip()) == COST.sub("COST", printed[0].rstrip())
    return same and matches(rest, printed[1:])


def run_page(page, program, update):
    lines = page.read_text(encoding="utf-8").split("\n")
    environment = dict(os.environ, PATH=f"{pathlib.Path(program).resolve().parent}:{os.environ['PATH']}")
    mistakes, replaced, count = [], [], 0
    with tempfile.TemporaryDirectory() as scratch:
        for shown in ("models", "examples"):
            if (ROOT / shown).is_dir():
                os.symlink(ROOT / shown, pathlib.Path(scratch) / shown)
        for start, command, first, last in steps(lines):
            count += 1
            result = subprocess.run(["bash", "-c", command], cwd=scratch, env=environment, text=True, timeout=120,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            printed = result.stdout.rstrip("\n").split("\n") if result.stdout.strip() else []
            declared = EXPECTED_EXIT.search(command)
            wanted = int(declared.group(1)) if declared else 0
            if result.returncode != wanted:
                mistakes.append(f"{name(page)}:{start + 1}: `{command}` exits {result.returncode}, not {wanted}:\n"
                                + result.stdout)
            elif not matches(lines[first:last], printed):
                replaced.append((first, last, printed))
                if not update:
                    mistakes.append("\n".join([f"{name(page)}:{start + 1}: `{command}` prints", *printed,
                                               "where the page says", *lines[first:last]]))
    if update and replaced:
        for first, last, printed in reversed(replaced):
            lines[first:last] = printed
        page.write_text("\n".join(lines), encoding="utf-8")
    return count, mistakes


def check_links(page):
    mistakes = []
    for number, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
        for link in LINK.finditer(line):
            target = link.group(1)
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                mistakes.append(f"{name(page)}:{number}: link to {target}, which does not exist")
    return mistakes


def main():
    parser = argparse.ArgumentParser(description="Runs the commands of the documentation, or checks its links.")
    parser.add_argument("what", choices=("commands", "links"))
    parser.add_argument("--program", help="the zynpu binary")
    parser.add_argument("--update", action="store_true", help="write what was printed into the pages")
    parser.add_argument("pages", nargs="*", type=lambda path: pathlib.Path(path).resolve())
    arguments = parser.parse_intermixed_args()
    if arguments.what == "commands" and not arguments.program:
        parser.error("commands needs --program")

    mistakes, count = [], 0
    for page in arguments.pages or all_pages():
        try:
            if arguments.what == "commands":
                ran, found = run_page(page, arguments.program, arguments.update)
                count += ran
            else:
                found = check_links(page)
        except ValueError as error:
            found = [f"{name(page)}: {error}"]
        mistakes += found
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if arguments.what == "commands" and not arguments.pages and not count:
        print("no page has a ```console block, so nothing was checked", file=sys.stderr)
        return 1
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
