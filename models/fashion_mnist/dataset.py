# SPDX-License-Identifier: MIT
"""Fashion-MNIST as Debian's package dataset-fashion-mnist installs it."""

import gzip
import pathlib

import numpy as np

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
LABELS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def _read_idx(path, dimensions):
    """The uint8 array of a gzipped idx file; raises ValueError if the header does not fit its length."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    header = 4 + 4 * dimensions
    magic, *shape = np.frombuffer(data[:header], dtype=">u4")
    values = np.frombuffer(data[header:], dtype=np.uint8)
    if magic != 0x800 + dimensions or values.size != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path}: not an idx file of {dimensions} dimensions of bytes")
    return values.reshape([int(n) for n in shape])


def load(part):
    """(pictures uint8 [N, 28, 28], labels uint8 [N]) of "train" (60,000) or "t10k" (10,000, the test set)."""
    pictures = _read_idx(FOLDER / f"{part}-images-idx3-ubyte.gz", 3)
    labels = _read_idx(FOLDER / f"{part}-labels-idx1-ubyte.gz", 1)
    return pictures, labels
