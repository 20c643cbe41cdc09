# `make help` lists what there is.  Every target sets up what it needs first; a second call is instant.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON_IN_VENV := .venv/bin/python
INSTALLED := .venv/.installed
TESTS_READY := .venv/.test-packages
LOCALES := appliance/ui/locales
# English is the language of the sources and needs no catalog. A new one begins with `make messages LANGUAGES=ar`.
LANGUAGES ?= $(notdir $(wildcard $(LOCALES)/*))
CATALOGS := $(patsubst %.po,%.mo,$(wildcard $(LOCALES)/*/LC_MESSAGES/*.po))
# Half as many again as there are cores: tests wait for disks, browsers and processes a good part of their time.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); n=$$(( n + n / 2 )); echo $$(( n > 8 ? 8 : n )))
ARGUMENTS ?=

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(INSTALLED) $(CATALOGS) ## the product with a demo site, in var/demo; prints the addresses
	@exec $(PYTHON_IN_VENV) -m appliance serve --data-dir var/demo --demo $(ARGUMENTS)

.PHONY: test
test: $(INSTALLED) $(TESTS_READY) $(CATALOGS) ## all tests, in a real browser too (ARGUMENTS="-k name" for some)
	@exec $(PYTHON_IN_VENV) -m pytest -n $(WORKERS) -m "not soak and not machine" $(ARGUMENTS)

.PHONY: check
check: $(INSTALLED) $(CATALOGS) ## ruff, mypy --strict, the direction of imports
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --config setup.cfg

.PHONY: bench
bench: $(INSTALLED) $(CATALOGS) ## speed, measured against the limit of this machine
	@exec $(PYTHON_IN_VENV) -m benchmarks $(ARGUMENTS)

.PHONY: soak
soak: $(INSTALLED) $(TESTS_READY) $(CATALOGS) ## the reliability tests at their large size; takes hours
	@exec $(PYTHON_IN_VENV) -m pytest -m soak --timeout 0 -o faulthandler_timeout=0 $(ARGUMENTS)

.PHONY: machine
machine: $(INSTALLED) $(CATALOGS) ## installer, service and a card reader on a real Debian 12, in a virtual machine (as root)
	scripts/make-machine
	scripts/make-wheels
	@exec $(PYTHON_IN_VENV) -m pytest -m machine --timeout 0 -o faulthandler_timeout=0 tests/machine $(ARGUMENTS)

.PHONY: venv
venv: $(INSTALLED) $(CATALOGS) ## the virtual environment .venv, from the lock

.PHONY: lock
lock: $(INSTALLED) ## renew the locked dependencies (LOCK_ARGUMENTS="--upgrade" for newer versions)
	cd requirements && for source in ../setup.cfg build.in pcsc.in development.in; do \
	    case $$source in *.in) name=$${source%.in} ;; *) name=runtime ;; esac; \
	    ../.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
	        --custom-compile-command "make lock" $(LOCK_ARGUMENTS) "$$source" --output-file "$$name.txt"; \
	done

.PHONY: wheels
wheels: $(INSTALLED) $(CATALOGS) ## the folder wheels/, for installing without internet: ./install.sh --wheels wheels
	scripts/make-wheels

.PHONY: screenshots
screenshots: $(INSTALLED) $(TESTS_READY) $(CATALOGS) ## the pictures in docs/images, from a demo site in a temporary folder
	@$(PYTHON_IN_VENV) scripts/screenshots

.PHONY: schema
schema: $(INSTALLED) ## docs/SCHEMA.sql, from the migrations
	@$(PYTHON_IN_VENV) scripts/write-schema

.PHONY: messages
messages: $(INSTALLED) ## collect the strings people read into the catalogs, and compile these
	@mkdir -p build
	PYTHONPATH=scripts .venv/bin/pybabel --quiet extract --mapping-file babel.cfg --sort-by-file --no-wrap --add-location file \
	    --project Forecourt --version "$$(.venv/bin/python -c 'import appliance; print(appliance.__version__)')" --copyright-holder Forecourt --msgid-bugs-address Forecourt --output build/messages.pot appliance
	for language in $(LANGUAGES); do \
	    catalog=$(LOCALES)/$$language/LC_MESSAGES/messages.po; \
	    if [ -f "$$catalog" ]; then \
	        .venv/bin/pybabel --quiet update --input-file build/messages.pot --output-file "$$catalog" --locale "$$language" \
	            --no-wrap --no-fuzzy-matching --ignore-pot-creation-date; \
	    else \
	        .venv/bin/pybabel --quiet init --input-file build/messages.pot --output-file "$$catalog" --locale "$$language" --no-wrap; \
	        sed -i -e '/^# FIRST AUTHOR/d' -e 's/FULL NAME <EMAIL@ADDRESS>/Forecourt/' -e 's/ <LL@li.org>//' "$$catalog"; \
	    fi; \
	done
	@$(MAKE) --no-print-directory venv

.PHONY: clean
clean: ## everything that was made here, but not the demo site's data
	rm -rf .venv build wheels *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find appliance benchmarks tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	find appliance -name '*.mo' -delete

$(INSTALLED): requirements/build.txt requirements/development.txt setup.cfg setup.py pyproject.toml scripts/make-venv
	scripts/make-venv requirements/development.txt
	@touch $@

$(TESTS_READY): scripts/test-packages $(INSTALLED)
	@scripts/test-packages
	@touch $@

%.mo: %.po | $(INSTALLED)
	@.venv/bin/pybabel --quiet compile --statistics --input-file $< --output-file $@
