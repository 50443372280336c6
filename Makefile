# Short commands for everyday work, in the virtual environment that CONTRIBUTING.rst sets up.
#
# Special builds run in copies of the checkout below BUILD, so that yours stays as it is. CC chooses
# the compiler: make warnings CC=clang

BUILD ?= build
PYRIGHT = pyright
# The tests of what is written in C, on several processors.
C_TESTS = tests/messages tests/codecs tests/wire tests/runtime tests/typed
PYTEST = PYTHONHASHSEED=0 python -m pytest -q -n auto
C_FILES = $(shell git ls-files '*.c' '*.h' '*.cc')
# ASan wraps crypt(), which it finds only if libcrypt is loaded from the start.
SANITIZERS = $$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so) \
    $$(ldconfig -p | awk '/libcrypt\.so/ { print $$NF; exit }')

in_copy = tools/copy $(BUILD)/$@ && cd $(BUILD)/$@

.PHONY: help setup build test format lint types generate warnings sanitize traps cffi analyze pypy docs \
    bench dist

help: ## List these commands
	@sed -n 's/^\([a-z]*\): ## /\1 /p' Makefile | while read -r name text; do \
	    printf '%-10s %s\n' "$$name" "$$text"; done

setup: ## Install what development needs, and the package itself as it is in the checkout
	pip install -e ".[test,bench,dev,docs]"

build: ## Build the extension in place, after each change in csrc/
	python setup.py -q build_ext

test: ## Run all tests
	python -m pytest

format: ## Format Python and C
	ruff format .
	clang-format -i $(C_FILES)

lint: ## Check style, format and the workflows
	ruff check .
	ruff format --check .
	clang-format --dry-run --Werror $(C_FILES)
	zizmor --offline --quiet --min-severity medium .github/workflows

types: ## Check the types, and the stub against the extension
	mypy
	python -m mypy.stubtest --mypy-config-file pyproject.toml autobahn_fbs._cpython
	$(PYRIGHT)

generate: ## Write the tables and the package data again, after a change in schemas/
	python tools/generate.py

warnings: ## Build with all warnings as errors, and run the core's own tests
	$(in_copy) && AUTOBAHN_FBS_WERROR=1 python setup.py -q build_ext && \
	    python -m pytest -q tests/checkout/test_core.py

sanitize: ## Test the C code under ASan and UBSan: gcc, some minutes
	$(in_copy) && CC=gcc AUTOBAHN_FBS_SANITIZE=1 python setup.py -q build_ext && \
	    grep -q __asan_init autobahn_fbs/_cpython*.so && \
	    LD_PRELOAD="$(SANITIZERS)" PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
	    UBSAN_OPTIONS=print_stacktrace=1 $(PYTEST) $(C_TESTS)

# Such as adding 0 to a null pointer. A trap ends the process, and needs no library of clang's.
traps: ## Test the C code with traps where clang, unlike gcc, finds undefined behaviour
	$(in_copy) && CC=clang CFLAGS="-g -fsanitize=undefined,nullability -fsanitize-trap=all" \
	    python setup.py -q build_ext && \
	    $(PYTEST) tests/messages tests/codecs tests/wire

cffi: ## Test the binding that PyPy uses, on CPython
	$(in_copy) && AUTOBAHN_FBS_BUILD_CFFI=1 python setup.py -q build_ext && \
	    AUTOBAHN_FBS_BACKEND=cffi $(PYTEST) $(C_TESTS)

analyze: ## Analyze the C code: gcc -fanalyzer, clang-tidy
	tools/analyze

pypy: ## Run the tests on PyPy 3.11: root, Linux, debootstrap
	tools/pypy

docs: ## Build the documentation in build/docs, with warnings as errors
	sphinx-build -W -q docs $(BUILD)/docs

bench: ## Measure a small EVENT, and stop if it is not 20 times as fast as Autobahn's serializer
	python benchmarks/event.py --require 20

dist: ## Build the sdist and a wheel from it, and check that they are complete
	python -m build
	python tools/check_dist.py dist/*
