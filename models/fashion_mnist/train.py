# SPDX-License-Identifier: MIT
"""Trains the demo network on Fashion-MNIST and writes it as a fully integer TFLite model.

    python train.py [--epochs N] [--output FILE]

Needs the packages of requirements.txt and the Debian package dataset-fashion-mnist. Seeds, order of pictures and the
number of threads are fixed, so a second run on the same processor type gives the same file.
"""

import argparse
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

import dataset

SEED = 20240607
BATCH = 128
PEAK_RATE = 4e-3
CALIBRATION_PICTURES = 1000

layers = tf.keras.layers


def conv(x, filters, size, stride=1, relu=True):
    x = layers.Conv2D(filters, size, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def depthwise(x, stride=1):
    x = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def residual(x, y):
    return layers.ReLU()(layers.Add()([x, y]))


def network():
    """Pixels in [0, 1] to ten probabilities."""
    picture = layers.Input((28, 28, 1))
    x = conv(picture, 16, 3)
    x = conv(x, 32, 3, stride=2)  # 14 x 14
    x = residual(x, conv(depthwise(x), 32, 1, relu=False))
    x = conv(depthwise(x, stride=2), 64, 1)  # 7 x 7
    x = residual(x, conv(x, 64, 3, relu=False))
    x = residual(x, conv(depthwise(x), 64, 1, relu=False))
    x = conv(x, 128, 1)
    x = layers.AveragePooling2D(7)(x)
    x = layers.Reshape((128,))(x)
    x = layers.Dropout(0.2)(x)
    return tf.keras.Model(picture, layers.Dense(10, activation="softmax")(x))


def augmented(pictures, random):
    """Every picture moved by up to two pixels and mirrored half of the time, float in [0, 1]."""
    count = len(pictures)
    padded = np.pad(pictures, ((0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    down, right = random.integers(0, 5, count), random.integers(0, 5, count)
    moved = windows[np.arange(count), down, right]
    mirror = random.random(count) < 0.5
    moved[mirror] = moved[mirror, :, ::-1]
    return moved[..., np.newaxis].astype(np.float32) / 255


class Batches(tf.keras.utils.Sequence):
    """The training set, drawn anew for each epoch from the seed and the epoch's number."""

    def __init__(self, pictures, labels):
        super().__init__()
        self.source, self.labels, self.epoch = pictures, labels, 0
        self.draw()

    def draw(self):
        random = np.random.default_rng([SEED, self.epoch])
        order = random.permutation(len(self.source))
        self.x, self.y = augmented(self.source[order], random), self.labels[order]

    def __len__(self):
        return len(self.source) // BATCH

    def __getitem__(self, index):
        part = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[part], self.y[part]

    def on_epoch_end(self):
        self.epoch += 1
        self.draw()


def train(epochs):
    pictures, labels = dataset.load("train")
    test_pictures, test_labels = dataset.load("t10k")
    model = network()
    print(f"{model.count_params()} parameters")
    batches = Batches(pictures, labels)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 10, epochs * len(batches) - len(batches), warmup_target=PEAK_RATE, warmup_steps=len(batches)
    )
    optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=1e-2)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    model.compile(optimizer, tf.keras.losses.SparseCategoricalCrossentropy(), ["accuracy"])
    # Shuffling, mirroring and shifting are done by Batches.
    model.fit(batches, epochs=epochs, shuffle=False, verbose=2)
    _, accuracy = model.evaluate(test_pictures[..., np.newaxis] / np.float32(255), test_labels, verbose=0)
    print(f"float model: {accuracy:.4f} of the test set right")
    return model, pictures


def quantised(model, pictures):
    """The int8 TFLite file: int8 input and output, ranges from training pictures as they are."""

    def samples():
        chosen = np.random.default_rng(SEED).choice(len(pictures), CALIBRATION_PICTURES, replace=False)
        for index in chosen:
            yield [pictures[index][np.newaxis, ..., np.newaxis].astype(np.float32) / 255]

    # A fixed batch of one keeps shape arithmetic out of the graph.
    call = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec((1, 28, 28, 1), tf.float32, name="picture")
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(__file__).with_name("fashion_mnist_int8.tflite")
    )
    arguments = parser.parse_args()

    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)

    start = time.monotonic()
    model, pictures = train(arguments.epochs)
    arguments.output.write_bytes(quantised(model, pictures))
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
