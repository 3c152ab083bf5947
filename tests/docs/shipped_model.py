# SPDX-License-Identifier: MIT
"""The shipped model gives, for each shipped picture, the bytes that expected.tsv says: shipped_model.py PROGRAM PART."""

import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "models" / "fashion_mnist"


def main():
    program, part = sys.argv[1:]
    rows = (FOLDER / "expected.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wrong = 0
    for row in rows:
        picture, _, _, _, wanted = row.split("\t")
        with tempfile.TemporaryDirectory() as output:
            subprocess.run([program, "run", FOLDER / "fashion_mnist_int8.tflite", "--part", part, "--image",
                            FOLDER / picture, "--output-dir", output], check=True, stdout=subprocess.DEVNULL)
            got = [byte - 256 if byte > 127 else byte for byte in (pathlib.Path(output) / "out0.bin").read_bytes()]
        if got != [int(value) for value in wanted.split()]:
            print(f"{picture} on {part}: {got}, not {wanted}", file=sys.stderr)
            wrong += 1
    return 1 if wrong or len(rows) != 10 else 0


if __name__ == "__main__":
    sys.exit(main())
