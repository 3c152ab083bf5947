#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds reference/ against the reference kernels of TensorFlow Lite, operator by operator.

litert.py INTEROP_CASES   the whole test: cases from the program INTEROP_CASES, their outputs from TFLite, comparison
litert.py --oracle FOLDER the part that runs inside the virtual environment

The environment and the outputs are kept under $ZYNPU_CACHE (default ~/.cache/zynpu), named by what they depend on, so
that a repeated run neither installs nor computes anything. Without Python 3.9 to 3.11 or without a package index the
test is skipped (exit code 77); in CI (environment variable CI) that is a failure.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REQUIREMENTS = ["tflite-runtime==2.14.0", "numpy==1.26.4"]
SKIP = 77


def unavailable(reason):
    if os.environ.get("CI"):
        print(f"FAILED: {reason}", file=sys.stderr)
        return 1
    print(f"SKIPPED: {reason}")
    return SKIP


def cache_folder():
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "zynpu"
    folder = pathlib.Path(os.environ.get("ZYNPU_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts):
    sum_ = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        sum_.update(len(data).to_bytes(8, "little"))
        sum_.update(data)
    return sum_.hexdigest()[:20]


def find_python():
    """A Python that the packages above exist for, with working venv support."""
    for name in ("python3.11", "python3.10", "python3.9", "python3"):
        for path in dict.fromkeys(filter(None, (shutil.which(name), f"/usr/bin/{name}"))):
            if not os.path.exists(path):
                continue
            probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
            result = subprocess.run([path, "-c", probe], capture_output=True, text=True, check=False)
            if result.returncode == 0 and result.stdout.strip() in ("3.9", "3.10", "3.11"):
                return path, result.stdout.strip()
    return None, None


def environment(cache):
    """Path of the Python inside the virtual environment, or the reason why there is none."""
    python, version = find_python()
    if python is None:
        return None, "no Python 3.9, 3.10 or 3.11 with venv, which tflite-runtime 2.14.0 needs"
    folder = cache / f"venv-{digest(version, *REQUIREMENTS)}"
    inside = folder / "bin" / "python"
    if (folder / "complete").exists() and inside.exists():
        return inside, None
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    install = [inside, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *REQUIREMENTS]
    result = subprocess.run(install, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        return None, f"pip cannot install {' '.join(REQUIREMENTS)}: {result.stderr.strip()[-500:]}"
    (folder / "complete").touch()
    return inside, None


def digest_of_cases(folder):
    parts = [pathlib.Path(__file__).read_bytes(), *REQUIREMENTS]
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            parts += [path.relative_to(folder), path.read_bytes()]
    return digest(*parts)


def run_test(program):
    cache = cache_folder()
    with tempfile.TemporaryDirectory(dir=cache, prefix="cases-") as scratch:
        fresh = pathlib.Path(scratch) / "cases"
        fresh.mkdir()
        subprocess.run([program, "write", fresh], check=True)
        kept = cache / f"litert-{digest_of_cases(fresh)}"
        if not kept.exists():
            python, reason = environment(cache)
            if python is None:
                return unavailable(reason)
            subprocess.run([python, __file__, "--oracle", fresh], check=True)
            try:
                fresh.rename(kept)
            except OSError:  # another run was faster
                if not kept.exists():
                    raise
    return subprocess.run([program, "compare", kept], check=False).returncode


def run_case(interpreter_class, resolver, folder):
    interpreter = interpreter_class(
        model_content=(folder / "model.tflite").read_bytes(), experimental_op_resolver_type=resolver, num_threads=1
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    import numpy

    data = [(folder / f"in{i}.bin").read_bytes() for i in range(len(inputs))]
    size = [int(numpy.prod(t["shape"])) * numpy.dtype(t["dtype"]).itemsize for t in inputs]
    results = [b"" for _ in outputs]
    for run in range(len(data[0]) // size[0]):
        for i, tensor in enumerate(inputs):
            values = numpy.frombuffer(data[i][run * size[i] : (run + 1) * size[i]], dtype=tensor["dtype"])
            interpreter.set_tensor(tensor["index"], values.reshape(tensor["shape"]))
        interpreter.invoke()
        for i, tensor in enumerate(outputs):
            results[i] += interpreter.get_tensor(tensor["index"]).tobytes()
    for i, result in enumerate(results):
        (folder / f"out{i}.bin").write_bytes(result)


def run_oracle(root):
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    for folder in sorted(root.iterdir()):
        try:
            run_case(Interpreter, OpResolverType.BUILTIN_REF, folder)
        except (RuntimeError, ValueError) as error:
            (folder / "refused.txt").write_text(str(error))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--oracle":
        sys.exit(run_oracle(pathlib.Path(sys.argv[2])))
    if len(sys.argv) == 2:
        sys.exit(run_test(sys.argv[1]))
    sys.exit(__doc__)
