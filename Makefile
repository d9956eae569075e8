# The two commands are `make run` and `make test`. The rest is for those who change the code.

PYTHON := .venv/bin/python

# Where this is set, each of Tocsin's processes would compile all its modules anew.
unexport PYTHONDONTWRITEBYTECODE

# H006, H021, H023: mails need them. H025, J018: misread Jinja. H043: a button in a form submits it, as is meant.
# H030, H031: a page behind a sign-in wants no description for search engines.
DJLINT_IGNORED := H006,H021,H023,H025,H030,H031,H043,J018

.PHONY: run test test-everywhere lint format lock

run:
	@scripts/install requirements.lock
	@exec $(PYTHON) -m app.up

# More at once than there are cores: many tests wait for a server, a browser or a process of their own.
test: lint
	TOCSIN_TEST_DATABASES=turns $(PYTHON) -m pytest -n 4 --dist worksteal

# Every test on both databases, where `test` has those that are not marked for both take turns.
test-everywhere: lint
	TOCSIN_TEST_DATABASES=all $(PYTHON) -m pytest -n 4 --dist worksteal

lint:
	@scripts/install requirements-dev.lock
	@$(PYTHON) scripts/find_tools.py
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m djlint templates --lint --quiet --ignore $(DJLINT_IGNORED)

format:
	@scripts/install requirements-dev.lock
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

# After a change to requirements.txt or requirements-dev.txt.
lock:
	@scripts/install requirements-dev.lock
	.venv/bin/uv pip compile $(LOCK) requirements.txt --output-file requirements.lock
	.venv/bin/uv pip compile $(LOCK) requirements-dev.txt --constraint requirements.lock --output-file requirements-dev.lock

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url
