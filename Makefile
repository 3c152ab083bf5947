# SPDX-License-Identifier: MIT
# The front door. Everything here is a thin call of CMake, CTest or a script, which also work by hand (CONTRIBUTING.md).
#   make build   build/release/bin/zynpu              make bench   run the benchmarks
#   make demo    build it and classify a picture      make fuzz    fuzz every loader for FUZZ_SECONDS each
#   make vm      boot Linux with the kernel driver and a virtual NPU; RUN="command" runs that in it (docs/lab.md)
#   make test-vm the tests in such guests             make clean   remove build/
#   make test-vm-debug   some of them with a kernel that checks itself, which it builds first (not in `make test`)
#   make test    build and pass every test            make lint    formatting, clang-tidy, licence tags
#   make doc     regenerate the generated pages

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.PHONY: build demo vm vm-builds test-vm test-vm-debug test test-builds bench fuzz lint doc clean
MAKEFLAGS += --no-print-directory

ZYNPU_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/zynpu
CCACHE_DIR ?= $(ZYNPU_CACHE)/ccache
export ZYNPU_CACHE CCACHE_DIR

# Two tests at a time: some of them hold a whole virtual NPU and are written for a machine of this size.
TEST_JOBS ?= 2
# `make test` gives each fuzzer a few seconds, `make fuzz` ten minutes.
QUICK_FUZZ_SECONDS := 8
FUZZ_SECONDS ?= 600

configure = cmake -S . -B build/$(1) -G Ninja $(2) > build/$(1).log || { cat build/$(1).log; exit 1; }
release := -DCMAKE_BUILD_TYPE=Release
# What a stranger can reach (files, the command line, the API) once more under AddressSanitizer and UBSan.
asan := -DCMAKE_BUILD_TYPE=RelWithDebInfo -DZYNPU_SANITIZE=address,undefined -DZYNPU_TESTS=ON \
        -DZYNPU_HOSTILE_ONLY=ON -DZYNPU_BENCH=OFF
fuzz := -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DZYNPU_SANITIZE=address,undefined -DZYNPU_FUZZ=ON -DZYNPU_TESTS=OFF -DZYNPU_BENCH=OFF

build:
	@scripts/setup.sh build
	@mkdir -p build
	@$(call configure,release,$(release) -DZYNPU_TESTS=OFF -DZYNPU_BENCH=OFF)
	@cmake --build build/release

demo: build
	@build/release/bin/zynpu run models/fashion_mnist/fashion_mnist_int8.tflite --part x2 \
	  --image models/fashion_mnist/sneaker.png --labels models/fashion_mnist/labels.txt

# In the guest: the architecture, the kernel (usual; on amd64 also older and debug, see docs/lab.md), the part of the
# virtual NPU, what to run (empty: a shell), more kernel parameters, more arguments for lab/boot.sh (--iommu ...).
VM_KERNEL ?= usual
VM_ARCH ?= $(if $(filter usual,$(VM_KERNEL)),arm64,amd64)
VM_PART ?= x2
VM_APPEND ?=
VM_BOOT ?=
RUN ?=

vm-builds:
	@scripts/setup.sh build test
	@mkdir -p build
	@$(call configure,release,$(release) -DZYNPU_TESTS=ON -DZYNPU_BENCH=OFF)
	@cmake --build build/release --target zynpu zynpu_conformance compat_client_test
	@lab/build.sh build/lab build/release/bin/zynpu

vm: vm-builds
	@lab/run.sh build/lab build/release/bin/zynpu $(VM_ARCH) $(VM_KERNEL) $(VM_PART) '$(subst ',''',$(RUN))' '$(VM_APPEND)' $(VM_BOOT)

test-vm: vm-builds
	@ctest --test-dir build/release -L vm -j $(TEST_JOBS) --output-on-failure --no-tests=error

# Not part of `make test`: the first time it builds a kernel (docs/lab.md).
test-vm-debug: vm-builds
	@lab/debug-kernel.sh build/lab
	@ctest --test-dir build/release -C debug-kernel -L vm-debug --output-on-failure --no-tests=error

test-builds:
	@scripts/setup.sh build test
	@mkdir -p build
	@$(call configure,release,$(release) -DZYNPU_TESTS=ON -DZYNPU_BENCH=OFF)
	@cmake --build build/release
	@lab/build.sh build/lab build/release/bin/zynpu
	@$(call configure,asan,$(asan))
	@cmake --build build/asan --target zynpu_hostile
	@$(call configure,fuzz,$(fuzz) -DZYNPU_FUZZ_SECONDS=$(QUICK_FUZZ_SECONDS))
	@cmake --build build/fuzz --target zynpu_fuzzers

# One CTest run over the three trees, so that one summary, the last lines printed, counts everything.
test: test-builds
	@printf 'subdirs(release asan fuzz)\n' > build/CTestTestfile.cmake
	@ctest --test-dir build -j $(TEST_JOBS) --output-on-failure --no-tests=error

bench:
	@scripts/setup.sh build bench
	@mkdir -p build
	@$(call configure,bench,$(release) -DZYNPU_TESTS=OFF -DZYNPU_BENCH=ON)
	@cmake --build build/bench
	@for program in build/bench/bin/*_bench; do echo "== $$program"; "$$program"; done

fuzz:
	@scripts/setup.sh build test
	@mkdir -p build
	@$(call configure,fuzz,$(fuzz) -DZYNPU_FUZZ_SECONDS=$(FUZZ_SECONDS))
	@cmake --build build/fuzz --target zynpu_fuzzers
	@ctest --test-dir build/fuzz -j $(TEST_JOBS) --output-on-failure --no-tests=error

lint:
	@scripts/setup.sh build test bench lint
	@scripts/lint.sh

doc: build
	@scripts/doc.sh

clean:
	rm -rf build
