# SPDX-License-Identifier: MIT
"""Measures the int8 model on the whole test set and writes the example pictures beside it.

    python evaluate.py

Uses TFLite's portable reference kernels, which define the right answer bit for bit. Writes labels.txt, one PNG for each
class (the first of its class in the test set) and expected.tsv with the reference output of each.
"""

import os
import pathlib
import struct
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

import dataset

HERE = pathlib.Path(__file__).parent
FILES = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle_boot")


def png(picture):
    """An 8-bit grey PNG of the picture, written plainly so that it is the same everywhere."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main():
    interpreter = tf.lite.Interpreter(
        str(HERE / "fashion_mnist_int8.tflite"),
        num_threads=1,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]
    pictures, labels = dataset.load("t10k")
    quantised = np.round(pictures / np.float32(255) / np.float32(scale)) + zero_point
    quantised = np.clip(quantised, -128, 127).astype(np.int8)

    outputs = np.empty((len(pictures), 10), np.int8)
    for index, picture in enumerate(quantised):
        interpreter.set_tensor(source["index"], picture[np.newaxis, ..., np.newaxis])
        interpreter.invoke()
        outputs[index] = interpreter.get_tensor(result["index"])[0]
    winners = outputs.argmax(axis=1)
    right = int((winners == labels).sum())

    (HERE / "labels.txt").write_text("".join(label + "\n" for label in dataset.LABELS))
    lines = ["file\ttest picture\ttrue class\twinner\treference output (int8)\n"]
    for kind, name in enumerate(FILES):
        index = int(np.argmax(labels == kind))
        (HERE / f"{name}.png").write_bytes(png(pictures[index]))
        answer = " ".join(str(value) for value in outputs[index])
        lines.append(f"{name}.png\t{index}\t{dataset.LABELS[kind]}\t{dataset.LABELS[winners[index]]}\t{answer}\n")
    (HERE / "expected.tsv").write_text("".join(lines))

    for kind, label in enumerate(dataset.LABELS):
        print(f"{label:12} {(winners[labels == kind] == kind).mean():.3f}")
    print(f"input scale {scale} zero point {zero_point}, output {result['quantization']}")
    print(f"int8 model, reference kernels: {right} of {len(labels)} right ({right / len(labels):.2%})")


if __name__ == "__main__":
    main()
