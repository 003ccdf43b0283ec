# Short targets; scripts/ holds the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PYTHON
BIN := .venv/bin
ONLY ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench faults lock vendor catalogues format clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: .venv/.installed ## make .venv with everything in it

.venv/.installed: pyproject.toml requirements/dev.txt
	scripts/install.sh

demo: install ## run a hub and a kiosk with sample data until Ctrl-C
	@$(BIN)/python -m scripts.demo

test: install ## run every test (ARGS="-k word" for some of them)
	@scripts/test.sh $(ARGS)

check: install ## format, lint, types, import contracts, templates, vendored files, translations
	@scripts/check.sh

bench: install ## print what it costs, as JSON (ONLY=name for one figure)
	@$(BIN)/python -m bench $(ONLY)

faults: install ## run fault schedules (SCHEDULES=, SEED=)
	@$(BIN)/python -m tests.faults

lock: ## resolve pyproject.toml into requirements/*.txt (ARGS="--upgrade" for newer versions)
	@scripts/lock.sh $(ARGS)

vendor: install ## fetch what vendor.toml names into ui/static/vendor
	@$(BIN)/python scripts/vendor.py

catalogues: install ## bring the French catalogues up to date and compile them
	@$(BIN)/python scripts/catalogues.py

format: install ## write the code as the formatter wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove .venv and everything made by tools
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
