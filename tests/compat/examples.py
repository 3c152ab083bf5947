# SPDX-License-Identifier: MIT
"""The example programs, run as their heads say, agree with `zynpu run`: examples.py FOLDER PART

FOLDER holds the programs zynpu, classify_c, classify_cpp and vendor_api.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite"


def output(*command):
    environment = dict(os.environ, ZYNPU_DEVICE="virtual", UMD_LOG_LEVEL="6")
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def main():
    folder, part = pathlib.Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        graph = scratch / "graph.zy"
        output(folder / "zynpu", "compile", MODEL, "--part", part, "-o", graph)
        inputs = []
        for seed in range(3):
            inputs.append(scratch / f"in{seed}.bin")
            inputs[-1].write_bytes(bytes((i * (37 + seed) >> 2) & 0xFF for i in range(784)))
        vendor = re.findall(r"class (\d+), score (\S+)", output(folder / "vendor_api", graph, *inputs))
        for path, (number, score) in zip(inputs, vendor, strict=True):
            output(folder / "zynpu", "run", graph, "--part", part, "--input", path, "--output-dir", scratch)
            row = [byte - 256 if byte > 127 else byte for byte in (scratch / "out0.bin").read_bytes()]
            if row.index(max(row)) != int(number):
                sys.exit(f"{path.name}: vendor_api says class {number}, zynpu run {row}")
            device = "virtual:" + part
            for line in (output(folder / "classify_c", MODEL, path, device),
                         output(folder / "classify_c", graph, path, device)):
                if f"class {number}, score {score}\n" not in line:
                    sys.exit(f"{path.name}: vendor_api says class {number}, score {score}; classify_c {line}")
        # classify_cpp always uses the default device, the virtual x2.
        classes = re.findall(r"class (\d+),", output(folder / "classify_cpp", MODEL, *inputs))
        if classes != [number for number, _ in vendor]:
            sys.exit(f"vendor_api: {vendor}, classify_cpp: {classes}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
