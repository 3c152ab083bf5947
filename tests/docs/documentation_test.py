# SPDX-License-Identifier: MIT
"""The documentation checker accepts a right page and finds each kind of mistake."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).with_name("documentation.py")


class Checker(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.page = pathlib.Path(self.folder.name) / "page.md"

    def check(self, text, *options, what="commands"):
        self.page.write_text(text, encoding="utf-8")
        program = ["--program", "/bin/true"] if what == "commands" else []
        return subprocess.run([sys.executable, CHECKER, what, *program, *options, self.page], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_accepts_what_the_command_prints(self):
        self.assertEqual(self.check("```console\n$ echo a; echo b\na\nb\n$ true\n```\n").returncode, 0)

    def test_finds_a_different_line(self):
        result = self.check("text\n```console\n$ echo a\nb\n```\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn("page.md:3: `echo a` prints\na\nwhere the page says\nb", result.stdout)

    def test_finds_a_missing_line(self):
        self.assertEqual(self.check("```console\n$ echo a; echo b\na\n```\n").returncode, 1)

    def test_finds_an_extra_line(self):
        self.assertEqual(self.check("```console\n$ echo a\na\nb\n```\n").returncode, 1)

    def test_takes_dots_for_any_lines(self):
        self.assertEqual(self.check("```console\n$ seq 9\n1\n...\n9\n```\n").returncode, 0)
        self.assertEqual(self.check("```console\n$ seq 9\n1\n...\n8\n```\n").returncode, 1)

    def test_ignores_costs_only(self):
        page = "```console\n$ echo 9 modelled cycles, 2 bundles, 3 bytes by DMA, 4 MACs\n%s\n```\n"
        self.assertEqual(self.check(page % "8 modelled cycles, 1 bundles, 7 bytes by DMA, 4 MACs").returncode, 0)
        self.assertEqual(self.check(page % "9 modelled cycles, 2 bundles, 3 bytes by DMA, 5 MACs").returncode, 1)
        self.assertEqual(self.check("```console\n$ echo 7 layers in 3.1 ms\n7 layers in 12 ms\n```\n").returncode, 0)
        self.assertEqual(self.check("```console\n$ echo 7 layers in 3.1 ms\n8 layers in 3.1 ms\n```\n").returncode, 1)

    def test_finds_a_failing_command(self):
        self.assertEqual(self.check("```console\n$ false\n```\n").returncode, 1)

    def test_accepts_a_declared_failure_with_that_code_only(self):
        self.assertEqual(self.check("```console\n$ (exit 2)  # exit 2\n```\n").returncode, 0)
        self.assertEqual(self.check("```console\n$ (exit 3)  # exit 2\n```\n").returncode, 1)
        self.assertEqual(self.check("```console\n$ true  # exit 2\n```\n").returncode, 1)

    def test_refuses_output_without_a_command(self):
        self.assertEqual(self.check("```console\na\n```\n").returncode, 1)

    def test_leaves_other_blocks_alone(self):
        self.assertEqual(self.check("```\n$ false\n```\n").returncode, 0)

    def test_update_writes_what_was_printed(self):
        self.assertEqual(self.check("```console\n$ echo a\nb\nc\n$ echo d\nd\n```\nend\n", "--update").returncode, 0)
        self.assertEqual(self.page.read_text(encoding="utf-8"), "```console\n$ echo a\na\n$ echo d\nd\n```\nend\n")

    def test_finds_a_dead_link(self):
        self.assertEqual(self.check("[here](page.md) [there](page.md#part)", what="links").returncode, 0)
        self.assertEqual(self.check("[web](https://example.org/x)", what="links").returncode, 0)
        result = self.check("\n[gone](gone.md)", what="links")
        self.assertEqual(result.returncode, 1)
        self.assertIn("page.md:2: link to gone.md", result.stdout)


if __name__ == "__main__":
    unittest.main()
