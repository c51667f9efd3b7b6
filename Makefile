# golive. `make` prints what there is. Go and make are enough for build, run and
# test; npm is needed for generate and check only, because buf comes from there.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Pinned tools, each installed once under a name that carries its version.
BUF_VERSION      := 1.75.0
GOLANGCI_VERSION := v2.15.0
PLAYWRIGHT_VERSION := 1.65.1
AXE_VERSION := 4.14.1

BIN      := $(CURDIR)/.bin
BUF      := $(BIN)/buf-$(BUF_VERSION)/node_modules/.bin/buf
GOLANGCI := $(BIN)/golangci-lint-$(GOLANGCI_VERSION)
PLUGINS  := $(BIN)/plugins.stamp
PLAYWRIGHT := $(BIN)/playwright-core-$(PLAYWRIGHT_VERSION)
AXE := $(BIN)/axe-core-$(AXE_VERSION)
PROTODEPS := .proto-deps/stamp

MODULES   := proto pkg services
PACKAGES  := $(MODULES:%=./%/...)
COMMANDS  := golive golive-agent golive-shim
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOBUILD   := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
GENERATED := proto/golive services/gateway/internal/gen services/gateway/internal/openapi

# What `make test` is narrowed to, for example TEST='-run Gate ./services/...'.
TEST         ?=
TEST_TIMEOUT ?= 10m
GOTEST       := go test$(if $(RACE), -race) -timeout $(TEST_TIMEOUT)

##@ Use

.PHONY: run
run: build demo-apps ## Start everything in one process, with the demonstration
	bin/golive demo

.PHONY: build
build: ## Build bin/golive, bin/golive-agent and bin/golive-shim
	@mkdir -p bin
	$(foreach c,$(COMMANDS),$(GOBUILD) -o bin/$(c) ./services/cmd/$(c)$(newline))

# The demonstration's application in its versions: the third falls ill after it was healthy, the fourth fails some of its users.
ILL_3.0.0 := -X main.sickAfter=4s
ILL_4.0.0 := -X main.failEvery=3
.PHONY: demo-apps
demo-apps:
	@mkdir -p bin/demo
	$(foreach v,1.0.0 2.0.0 3.0.0 4.0.0 5.0.0,CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(v) $(ILL_$(v))" -o bin/demo/crm-$(v) ./services/demo/app$(newline))

##@ Change

.PHONY: test
ifeq ($(TEST),)
test: vet unit simulate e2e ## Run all tests (TEST='…' to choose, RACE=1 for the race detector)
else
test:
	$(GOTEST) $(TEST)
endif

# The first run builds the program once more over a clock that is off, which takes minutes.
.PHONY: e2e
e2e: build demo-apps ## Run the demonstration as a test, in one process and as three
	$(GOTEST) -count=1 -timeout 20m ./services/e2e/...

.PHONY: lint
lint: $(GOLANGCI) $(BUF) $(PROTODEPS) ## Lint the contracts and the Go code
	$(BUF) lint
	$(GOLANGCI) run $(PACKAGES)
	cd proto/tools && GOWORK=off $(GOLANGCI) run ./...

.PHONY: generate
generate: $(BUF) $(PLUGINS) $(PROTODEPS) ## Generate Go, gateway and OpenAPI from the contracts
	$(BUF) generate

.PHONY: docs
docs: ## Write the reference pages from the code
	GOLIVE_UPDATE=1 go test -count=1 -run 'Page' ./services/docs
	GOLIVE_UPDATE=1 go test -count=1 -run Reference ./services/cli

# Both need node and a chromium: CHROMIUM=/path/to/it where it is not in PATH.
.PHONY: browse
browse: build $(PLAYWRIGHT) $(AXE) ## Drive the console in a browser, and let axe look at every page
	node services/e2e/browser/console.mjs $(PLAYWRIGHT) $(AXE)/node_modules/axe-core/axe.min.js "$${CHROMIUM:-$$(command -v chromium || command -v google-chrome)}"

.PHONY: screenshots
screenshots: build demo-apps $(PLAYWRIGHT) ## Take the pictures of the documentation from the demonstration
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=5.1.0" -o bin/demo/crm-5.1.0 ./services/demo/app
	node docs/images/take.mjs $(PLAYWRIGHT) "$${CHROMIUM:-$$(command -v chromium || command -v google-chrome)}"

.PHONY: check
check: $(BUF) $(PLUGINS) $(PROTODEPS) check-deploy ## Prove that what is committed is what is generated, and that deploy/ holds
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(BUF) generate -o "$$fresh"; \
	for folder in $(GENERATED); do \
	  diff -rq --exclude='*.proto' "$$fresh/$$folder" "$$folder" || { echo "generated code is stale: run make generate" >&2; exit 1; }; \
	done; \
	echo "generated code is what the contracts say"

.PHONY: check-deploy
check-deploy: ## Verify the systemd units and score their exposure
	deploy/systemd/verify

.PHONY: bench
bench: build demo-apps ## Measure what docs/performance.md says, each figure beside its control
	go test -run '^$$' -bench . -benchmem -timeout 60m $$(go list $(PACKAGES) | grep -v /services/e2e)
	go test -run '^$$' -bench 'Rollout|Start|Fleet|Gate' -benchtime 1x -timeout 60m ./services/e2e
	go test -run '^$$' -bench Requests -benchtime 10000x -timeout 60m ./services/e2e

# A seed is a life of the engine; CI lives 2 000 of them. SEEDS=… and DEPLOYMENTS=… say how many here.
.PHONY: soak
soak: ## Simulate the engine for long, with planted bugs and a bounded heap (SEEDS=50000 DEPLOYMENTS=100000)
	SEEDS=$${SEEDS:-50000} go test -count=1 -timeout 24h -run 'TestSeeds|TestCorpus|TestReplay' -v ./services/deployment/internal/simulator
	DEPLOYMENTS=$${DEPLOYMENTS:-100000} go test -count=1 -timeout 24h -run TestTheHeapStaysBounded -v ./services/deployment/internal/simulator
	go test -count=1 -timeout 1h -tags bugs -run TestPlantedBugs -v ./services/deployment/internal/simulator

.PHONY: help
help: ## Print this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# All but the end-to-end tests, which measure seconds, and the simulator, which takes every processor: both want the machine to themselves.
.PHONY: unit
unit:
	$(GOTEST) $$(go list $(PACKAGES) | grep -v -e /services/e2e -e /internal/simulator)

.PHONY: simulate
simulate: ## Live 2 000 lives of the engine in a simulated world, and find planted bugs (make soak for more)
	$(GOTEST) ./services/deployment/internal/simulator
	$(GOTEST) -tags bugs -run TestPlantedBugs -v ./services/deployment/internal/simulator

# Each module must stand without go.work, as its users get it, and hosts run other systems too.
.PHONY: vet
vet:
	$(foreach m,$(MODULES),GOWORK=off go -C $(m) vet ./...$(newline))
	$(foreach os,windows darwin,GOOS=$(os) CGO_ENABLED=0 go build -o /dev/null ./services/cmd/golive-agent ./services/cmd/golive-shim$(newline))

$(PLUGINS): proto/tools/go.mod proto/tools/go.sum $(wildcard proto/tools/protoc-gen-golive-openapi/*)
	GOWORK=off GOBIN=$(BIN) go -C proto/tools install tool
	@touch $@

$(PROTODEPS): proto/tools/go.mod proto/tools/go.sum proto/tools/protodeps/main.go
	GOWORK=off go -C proto/tools run ./protodeps
	@touch $@

$(BUF):
	npm install --silent --no-fund --no-audit --no-package-lock --prefix $(BIN)/buf-$(BUF_VERSION) @bufbuild/buf@$(BUF_VERSION)

$(PLAYWRIGHT):
	npm install --silent --no-fund --no-audit --no-package-lock --prefix $@ playwright-core@$(PLAYWRIGHT_VERSION)

$(AXE):
	npm install --silent --no-fund --no-audit --no-package-lock --prefix $@ axe-core@$(AXE_VERSION)

$(GOLANGCI):
	GOWORK=off GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(BIN)/golangci-lint $@

define newline


endef
