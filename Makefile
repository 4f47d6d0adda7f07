# make check   everything: lint, types, layers, all tests (sets itself up)
# make test    the tests alone          make soak    the long ones
# make e2e-distros   install and remove on fresh Debian 12 and 13 (needs debootstrap)
# make bench   the figures of docs/benchmarks.md
# make pictures   the README's, of a real ban (needs pngquant)
# make classes    docs/reference/classes.md, after a change of rules or labels
# make lock    pin the requirements anew (needs uv)

SHELL := /bin/sh
PYTHON := /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := f2b_enrich demo tests bench action.d
SCRIPTS := install.sh .ci/run packaging/f2b-enrich packaging/f2b-enrich-failed
TEST_PROGRAMS := chromium spamassassin w3m mandoc groff=groff-base zsh fish postfix \
    sqlite3 ip=iproute2 systemd-analyze=systemd checkmodule=checkpolicy \
    semodule_package=semodule-utils apparmor_parser=apparmor curl jq zstd dovecot=dovecot-imapd
PARALLEL := -m "not soak" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
TEST_ENV := PYTHONASYNCIODEBUG=1 HYPOTHESIS_PROFILE=ci
EXTRA_DATA := $(wildcard ../shared/data)
export F2B_ENRICH_EXTRA_DATA ?= $(if $(EXTRA_DATA),$(abspath $(EXTRA_DATA)))

.PHONY: check lint types test soak e2e-distros bench pictures classes lock clean

check: lint types test

$(VENV)/ready: requirements/dev.txt pyproject.toml Makefile
	./install.sh --deps $(TEST_PROGRAMS)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip -qq --disable-pip-version-check install --no-deps \
	    --require-hashes --only-binary :all: -r requirements/dev.txt
	$(BIN)/python -m pip -qq --disable-pip-version-check install --no-deps \
	    --no-build-isolation --editable .
	touch $@

lint: $(VENV)/ready
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck -xa $(SCRIPTS)
	$(BIN)/codespell $(SOURCES) docs action.d jail.d packaging *.md install.sh
	$(BIN)/deptry .

types: $(VENV)/ready
	$(BIN)/mypy

test: $(VENV)/ready
	rm -f .coverage .coverage.*
	$(TEST_ENV) $(BIN)/coverage run -m pytest $(PARALLEL) tests/unit tests/integration
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(TEST_ENV) $(BIN)/pytest $(PARALLEL) tests/e2e

soak: $(VENV)/ready
	$(BIN)/pytest -m soak

e2e-distros: $(VENV)/ready
	./install.sh --deps debootstrap
	$(BIN)/python -m tests.distros

bench: $(VENV)/ready
	$(BIN)/python -m pip -qq --disable-pip-version-check install --no-deps \
	    --require-hashes --only-binary :all: -r requirements/bench.txt
	$(BIN)/python -m bench

pictures: $(VENV)/ready
	$(BIN)/pytest -q tests/e2e/test_ten_bans.py -k browser \
	    --basetemp build/pictures -o tmp_path_retention_policy=all
	pngquant --force --nofs --output docs/images/alert.png 24 \
	    build/pictures/album0/ssh-900-light.png
	pngquant --force --nofs --output docs/images/alert-dark.png 24 \
	    build/pictures/album0/ssh-900-dark.png
	$(BIN)/python -m tests.report_pages docs/examples/report.html docs/images
	pngquant --force --nofs --ext .png 64 docs/images/report.png \
	    docs/images/report-dark.png

classes: $(VENV)/ready
	$(BIN)/python -m tests.classes_table

lock:
	for set in runtime demo dev bench report browse; do \
	    extra=; [ $$set = runtime ] || extra="--extra $$set"; \
	    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-emit-find-links --no-annotate \
	        --custom-compile-command "make lock" $$extra pyproject.toml \
	        -o requirements/$$set.txt || exit 1; \
	done

clean:
	rm -rf $(VENV) build .coverage .coverage.*
