# All targets need only make and Python 3.11 or newer. The first call installs into .venv.
PYTHON ?= python3
PORT ?= 8080
ARGS ?=

VENV := .venv/bin/python
EMBEDDED := $(VENV) -m walltrack.embedded run --

.DEFAULT_GOAL := help
.PHONY: help run discover env test containers lint requirements benchmark faults living screenshots clean install install-dev

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r name words; do printf '%-22s %s\n' "$$name" "$$words"; done

run: install ## start everything, run a first discovery, serve until Ctrl-C (PORT=8081, ARGS="--trades FILE")
	@PORT='$(PORT)' exec $(VENV) -m walltrack.quickstart $(ARGS)

discover: install ## run a discovery in the terminal, on the running instance if there is one (ARGS="--help")
	@exec $(VENV) -m walltrack.quickstart discover $(ARGS)

env: install ## write .env from .env.example with random secrets, for docker compose (ARGS=--force)
	@$(VENV) manage.py init_env $(ARGS)

test: install-dev ## run all tests with their own PostgreSQL and Valkey (ARGS="-k words")
	@exec $(EMBEDDED) $(VENV) -m pytest $(ARGS)

containers: ## test docker-compose.yml, restarts, proxies and the commands of docs/deploy.md with Docker (about 15 min)
	tests/containers/stack.sh
	tests/containers/restarts.sh
	tests/containers/proxies.sh
	tests/containers/deploy.sh

lint: install-dev ## formatting, rules, types, import contracts, migrations, deployment checks, dependencies
	$(VENV) -m ruff format --check .
	$(VENV) -m ruff check .
	$(VENV) -m djlint templates --check --lint
	$(VENV) -m mypy walltrack discovery health simmarket
	$(VENV) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@echo 'manage.py makemigrations --check, manage.py check --deploy'
	@SECRET_KEY=$$($(VENV) -c 'import secrets; print(secrets.token_urlsafe(64))') \
		DEBUG=false MARKET=live ALLOWED_HOSTS=walltrack.example PUBLIC_URL=https://walltrack.example \
		$(EMBEDDED) sh -ec '$(VENV) manage.py makemigrations --check --dry-run; \
			$(VENV) manage.py check --deploy --fail-level WARNING'
	$(VENV) -m deptry .

requirements: install-dev ## pin requirements*.txt from their .in files
	@for name in requirements requirements-dev; do \
		echo "$$name.txt"; \
		CUSTOM_COMPILE_COMMAND='make requirements' $(VENV) -m piptools compile --quiet --generate-hashes \
			--strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--output-file "$$name.txt" "$$name.in" || exit 1; \
		sed -i.bak -e '/^--\(extra-\)\{0,1\}index-url/d' -e '/^--find-links/d' -e '/^--trusted-host/d' "$$name.txt"; \
		rm -f "$$name.txt.bak"; \
	done

benchmark: install-dev ## measure decoding and a run with a simulated world (ARGS=decode)
	@exec $(EMBEDDED) $(VENV) -m benchmarks $(ARGS)

faults: install-dev ## test that results survive killed workers, an emptied broker and a lost market (FAULTS_SEED=7)
	@exec $(EMBEDDED) $(VENV) -m pytest tests/faults $(ARGS)

living: install-dev ## test thirty days of a living world: refreshes, outcomes and the report, while workers die (LIVING_DAYS=30)
	@LIVING_DAYS=$${LIVING_DAYS:-30} exec $(EMBEDDED) $(VENV) -m pytest tests/living $(ARGS)

screenshots: install-dev ## save every page at both widths and themes to .data/screenshots (needs Chromium)
	@exec $(EMBEDDED) $(VENV) -m pytest -p no:randomly tests/browser/screenshots.py $(ARGS)

clean: ## delete .venv, all data and caches
	@if [ -x $(VENV) ]; then $(VENV) -m walltrack.embedded remove; fi
	rm -rf .venv .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@set -- requirements.txt; $(INSTALL)

install-dev:
	@set -- requirements.txt requirements-dev.txt; $(INSTALL)

# Installs the requirement files in the arguments. A stamp file with their checksum records success, so that the same
# files are installed once. The development requirements include those for running.
define INSTALL
	stop() { echo >&2; printf '%s\n' "$$@" >&2; exit 1; }; \
	full() { [ "$$(df -Pk . | awk 'NR == 2 { print $$4 }')" -lt 51200 ]; }; \
	stamp() { echo ".venv/.installed-$$(cat "$$@" | cksum | tr ' ' -)"; }; \
	base=$$(stamp requirements.txt) all=$$(stamp "$$@"); \
	if [ -e "$$all" ] && $(VENV) -c '' 2>/dev/null; then exit 0; fi; \
	command -v '$(PYTHON)' >/dev/null || \
		stop '$(PYTHON) was not found. Install Python 3.11 or newer (apt-get install python3 python3-venv),' \
			'or set its path: make PYTHON=/path/to/python3'; \
	'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		stop "$$('$(PYTHON)' -V) is too old: WallTrack needs 3.11 or newer. Use another one: make PYTHON=python3.12"; \
	'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || \
		stop '$(PYTHON) has no venv module. Install it: apt-get install python3-venv'; \
	[ -w . ] || stop "This folder is not writable: $$PWD. Use a copy of the checkout in a folder that you own."; \
	named='$(filter command environment,$(origin PYTHON))'; \
	if ! $(VENV) -m pip --version >/dev/null 2>&1 || \
			{ [ "$$named" ] && [ "$$('$(PYTHON)' -V)" != "$$($(VENV) -V)" ]; }; then \
		echo 'Creating .venv'; \
		'$(PYTHON)' -m venv --clear .venv || { \
			if full; then stop 'The disk is full: free about 400 MB and try again.'; fi; \
			stop '.venv could not be created (see above). Delete .venv and try again.'; }; \
	fi; \
	echo "Installing $$* into .venv (the first time takes a minute)"; \
	rm -f .venv/.installed-*; \
	for file in "$$@"; do set -- "$$@" -r "$$file"; shift; done; \
	if ! $(VENV) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes "$$@" \
			>.venv/pip.log 2>&1; then \
		tail -n 15 .venv/pip.log >&2; \
		if full || grep -qiE 'no space left|errno 28' .venv/pip.log; then \
			stop 'The disk is full: free about 400 MB and try again.'; fi; \
		if grep -qiE 'from versions: none|connection|resolution|timed out|network|unreachable|proxy|ssl' .venv/pip.log; then \
			stop 'The package index cannot be reached: check the network, or set PIP_INDEX_URL or HTTPS_PROXY,' \
				'and try again.'; fi; \
		if grep -qi 'hash' .venv/pip.log; then \
			stop 'A package is not pinned or differs from the pinned one: `make requirements` pins it again.'; fi; \
		if grep -qi 'no matching distribution' .venv/pip.log; then \
			stop 'The package index has no such package for this Python and system. Try another Python (make' \
				'PYTHON=python3.12), or another index (PIP_INDEX_URL).'; fi; \
		stop 'The requirements could not be installed (see above; the full log is .venv/pip.log).'; \
	fi; \
	: >"$$base"; : >"$$all"
endef
