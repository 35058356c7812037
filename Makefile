# What people and CI call. Everything needed is installed on the way, under .tools/ and node_modules/.

NODE_BIN := $(CURDIR)/.tools/node24/node_modules/node/bin
export PATH := $(NODE_BIN):$(CURDIR)/node_modules/.bin:$(PATH)

# Tests that are about clients, not about the data directory: they hold wherever the content is kept.
S3_CLIENTS := e2e/test/{awsCli,awsSdkJs,boto3,curl,form,rclone,resumable,s3cmd,tus}.test.*

.DEFAULT_GOAL := help
.PHONY: help setup run backup test check e2e e2e-clients e2e-s3 e2e-tools e2e-registry crash bench generate format clean
.PHONY: check-types check-lint check-format check-imports check-generated check-unused check-licences check-words check-lengths

help: ## Show this table
	@echo 'Bonded: make <target>'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@./scripts/bootstrap.sh

run: setup ## Start the store on 127.0.0.1:8080 (data in ./data, manifests in ./config/standalone)
	@exec node dataplane/src/main.ts

backup: setup ## Copy the data directory and manifests of a server, also of a running one (TO=<new directory>)
	@node dataplane/src/main.ts backup '$(TO)'

test: setup ## Run all unit and in-process tests (ONLY='glob' for some of them)
	@mocha --exit $(if $(ONLY),'$(ONLY)','{bench,crds,dataplane,scripts}/test/**/*.test.ts')

check: check-types check-lint check-format check-imports check-generated check-unused check-licences check-words check-lengths ## Types, lint, format, import rules, generated files, unused code, licences, words, lengths
	@echo 'All checks passed.'

e2e: e2e-clients ## Run real clients against a running server (ONLY='glob' for some of them)
	@mocha --exit --timeout 120000 --slow 10000 --no-check-leaks $(if $(ONLY),'$(ONLY)','e2e/test/**/*.test.ts' --ignore 'e2e/test/registry/**')

e2e-clients: setup
	@./e2e/install.sh clients

e2e-s3: e2e-clients ## Run the s3 driver, and real clients over it, on real S3 servers, built from Go modules (ONLY='glob' for some of the tests)
	@./e2e/s3-backend/install.sh
	@mocha --exit --timeout 120000 --slow 10000 --no-check-leaks $(if $(ONLY),'$(ONLY)','e2e/s3-backend/test/**/*.test.ts')
	@$(if $(ONLY),true,for storage in minio versitygw; do E2E_STORAGE=$$storage $(MAKE) --no-print-directory e2e ONLY='$(S3_CLIENTS)' || exit 1; done)

e2e-tools: setup ## Get all that speaks to a container registry: clients, the conformance suite, other registries (once, half an hour)
	@./e2e/registry/install.sh

e2e-registry: setup ## Run registry clients and the conformance suite against a running server; make e2e-tools gets them (ONLY='glob' for some of them)
	@./e2e/registry/install.sh check
	@mocha --exit --timeout 120000 --slow 10000 --no-check-leaks $(if $(ONLY),'$(ONLY)','e2e/test/registry/**/*.test.ts')

crash: setup ## Kill the server again and again under load (ROUNDS=2000, SEED=…); the log is docs/crash-log.txt
	@node e2e/crash/run.ts --rounds $(or $(ROUNDS),200) $(if $(SEED),--seed '$(SEED)') --log docs/crash-log.txt

bench: setup ## Measure against nginx, SQLite, the disk and the processor (ONLY=download,upload,small,list,memory,start,hostile,s3 QUICK=1)
	@./e2e/install.sh bench
	@node bench/run.ts $(if $(ONLY),--only '$(ONLY)') $(if $(QUICK),--quick)

generate: setup ## Write the types that are generated from crds/
	@node crds/generate.ts

format: setup ## Format all sources
	@prettier --write --log-level warn .

clean: ## Remove installed tools, modules and what tests and benchmarks left
	rm -rf node_modules .tools e2e/out bench/out

check-types: setup ## TypeScript, strict
	tsc -p .

check-lint: setup ## ESLint with type information
	eslint --max-warnings 0 .

check-format: setup ## Prettier
	prettier --check --log-level warn .

check-imports: setup ## Which room may import which (scripts/rooms.ts)
	node scripts/checkImports.ts

check-generated: setup ## Generated types match crds/
	node crds/generate.ts --check

check-unused: setup ## Unused files, exports and dependencies
	knip

check-licences: setup ## Licences of dependencies, and a reason for each direct one
	node scripts/checkLicences.ts

check-words: setup ## Nothing in the tree that belongs to one machine or one registry
	node scripts/checkWords.ts

check-lengths: setup ## No source file over 300 lines
	node scripts/checkLengths.ts
