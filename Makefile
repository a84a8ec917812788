# Client Management Service. "make help" lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run test test-postgres test-engines lint format types imports migrations deploy-check ci bench bench-engines forwarder lock \
	clean engines engines-stop run-engines

ARGS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables of run: PORT (8000), HOST (127.0.0.1), DATA_DIR (var/), DEMO=0 for an empty start, SIMULATOR_PORT (8010). ARGS goes to pytest,"
	@echo "or names engines."

run: ## Set up what is missing and serve everything in one process; Ctrl-C stops it
	@scripts/venv base
	@.venv/bin/python manage.py serve

test: ## Run all tests: make test ARGS="-k watermark"
	@scripts/venv dev
	@scripts/test $(ARGS)

test-postgres: ## Run the integration tests with PostgreSQL in place of SQLite
	@scripts/venv dev
	@scripts/test-postgres $(ARGS)

test-engines: ## Run the integration tests with DynamoDB, OpenSearch, EventBridge and PostgreSQL
	@scripts/venv dev
	@scripts/test-engines $(ARGS)

lint: ## Check style and likely mistakes
	@scripts/venv dev
	@scripts/lint

format: ## Rewrite the code in the project's style
	@scripts/venv dev
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

types: ## Check types
	@scripts/venv dev
	@scripts/types

imports: ## Check who imports whom
	@scripts/venv dev
	@scripts/imports

migrations: ## Check that every model has its migration
	@scripts/venv dev
	@scripts/migrations

deploy-check: ## Run Django's checks for production
	@scripts/venv dev
	@scripts/deploy-check

ci: ## Run everything that CI runs
	@.ci/run

bench: ## Measure the pipeline against its yardsticks and print the ratios
	@scripts/venv dev
	@.venv/bin/python -m benchmarks $(ARGS)

bench-engines: ## Measure the adapters of production against the raw engines and print the ratios
	@scripts/venv dev
	@.venv/bin/python -m engines start >/dev/null
	@eval "$$(.venv/bin/python -m engines env)" && exec .venv/bin/python -m benchmarks engines

forwarder: ## Pack the Lambda forwarder into build/forwarder.zip
	@scripts/venv dev
	@scripts/package-forwarder

engines: ## Fetch and start the engines of production, and print the variables to use them: make engines ARGS="redis"
	@scripts/venv base
	@.venv/bin/python -m engines start $(ARGS)

run-engines: ## Serve on the engines of production, in processes as production has them; Ctrl-C stops the service
	@scripts/venv base
	@.venv/bin/python -m engines start >/dev/null
	@eval "$$(.venv/bin/python -m engines env)" && export DATA_DIR="$${DATA_DIR:-var/engines}" && mkdir -p "$$DATA_DIR" && \
		exec .venv/bin/python manage.py serve_processes

engines-stop: ## Stop them; their data stays
	@scripts/venv base
	@.venv/bin/python -m engines stop $(ARGS)

lock: ## Write the lock files anew
	@scripts/venv dev
	@scripts/lock

clean: ## Remove what the checks left behind; var/, .venv, and the engines' downloads and data stay
	@rm -rf .engines/runs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis artifacts build
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
