# Targets with a line of explanation each. `make` alone lists them.

CARGO ?= cargo

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo cluster cluster-down demo-cluster test lint fmt generate docs bench image dist release-artifacts \
	windows arm64 darwin fips reproducible sizes control-plane domain-controller clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: ## Build, and show the main job without a cluster
	@scripts/demo.sh

cluster: ## Start a real cluster of one node with the webhook installed (root)
	@scripts/cluster.sh up

cluster-down: ## End that cluster
	@scripts/cluster.sh down

demo-cluster: ## Show the main job on that cluster
	@scripts/demo-cluster.sh

test: lint ## Run every check and test, against real peers too
	@scripts/test.sh

lint: ## Check format, lints, generated files, links and dependencies
	@scripts/lint.sh

fmt: ## Format the sources
	$(CARGO) fmt --all

generate: ## Write every generated file
	$(CARGO) xtask generate

docs: ## Build the documentation as a site in target/book
	@scripts/docs.sh

bench: ## Measure the server and the review command (release build)
	@scripts/bench.sh $(ARGS)

control-plane: ## Build the control plane for the tests into the cache
	@scripts/control-plane.sh

domain-controller: ## Install Samba and provision the domain of the tests
	@scripts/domain-controller.sh

image: ## Build the images of the server and the plugin as OCI archives, with buildah
	@scripts/image.sh

dist: ## Build the release archives of the plugin, their sums and manifests for installers
	@scripts/dist.sh release all

windows: ## Build the plugin for Windows, and run it with wine (root; chroot of Debian's packages)
	@scripts/cross.sh windows $(PROFILE)

arm64: ## Build the plugin for arm64, and run it with qemu (root; the same chroot)
	@scripts/cross.sh arm64 $(PROFILE)

darwin: ## Check that the plugin compiles for macOS (root; the same chroot)
	@scripts/cross.sh darwin

fips: ## Build server and plugin with the FIPS module of AWS-LC, and test them
	@scripts/fips.sh $(PROFILE)

sizes: ## Write the sizes of images and archives into docs/release.md
	@$(CARGO) xtask sizes

reproducible: ## Build images and archive of the last commit again, and compare the bytes
	@scripts/reproducible.sh $(PROFILE)

release-artifacts: image dist ## Sign and attest images, chart and archives in target/artifacts (COSIGN_KEY)
	@scripts/release-artifacts.sh

clean: ## Remove what was built here; the test peers in the cache stay
	$(CARGO) clean
