# Gapless: prove, under load, that a counter handed out over HTTP is atomic.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

#: what is loaded: local (embedded, no account needed) or aws
TARGET ?= local
#: load this server instead, without deploying: any whose GET returns the next integer
URL ?=
#: deploy to this AWS-compatible endpoint
ENDPOINT_URL ?=
#: name of the CloudFormation stack (at most 118 characters)
STACK ?= gapless
#: AWS region [AWS_REGION, else the profile's with TARGET=aws, else us-east-1]
REGION ?=
#: length of the load: 30s, 2m, 1h30m
DURATION ?= 30s
#: share of all requests that are POST <URL>/decrement instead, drawn from SEED: 0 to less than 1
DECREMENTS ?= 0
#: Locust users, each a closed loop
USERS ?= 20
#: Locust users started per second, where SHAPE is constant or burst
SPAWN_RATE ?= 20
#: the swarm's connections
CONNECTIONS ?= 50
#: the swarm's requests per second; 0 is a closed loop
RATE ?= 0
#: with RATE, when the swarm's requests are due: uniform (evenly) or poisson (at random)
ARRIVALS ?= uniform
#: with RATE, how many connections may be opened while all CONNECTIONS are busy [4 times those]
CONNECTIONS_MAX ?=
#: the load over time: constant, ramp, steps, spike, soak, burst, or points 0:0.1,0.5:1,1:0.2
SHAPE ?= constant
#: the swarm's client: aiohttp, or wire (our own, several times cheaper)
TRANSPORT ?= aiohttp
#: swarm processes [one per spare core]
PROCESSES ?=
#: Locust worker processes, which share USERS
LOCUST_PROCESSES ?= 1
#: port of Locust's page on 127.0.0.1
LOCUST_UI_PORT ?= 8089
#: 1 stops the load at the first duplicate or inversion (not with DECREMENTS)
FAIL_FAST ?= 0
#: what an intermediary before the counter does wrong, such as resend:0.001 (README: Seeing the alarms ring)
FAULT ?=
#: controls: which of them, by name [all thirteen]
CONTROLS ?=
#: sensitivity: how often each fault is run at each rate, 1 to 100
RUNS ?= 1
#: sensitivity: the faults [lost-update repeat resend swap replica]
FAULTS ?=
#: sensitivity: the rates, each as one in so many requests [10 100 1000 10000 100000]
RATES ?=
#: seconds without an answer after which a request is given up
TIMEOUT ?= 10
#: name of the run, loadtest [UTC time + short commit]; run to judge, verify-atomicity [latest]
RUN ?=
#: what PUT sets before the load
INITIAL ?= 1
#: what GET answers: new (the value after its increment) or old (the one before)
RETURNS ?= new
#: missing values explained by unanswered requests that still pass
ALLOW_UNANSWERED ?= 0
#: ms within which an unanswered request acts, or unbounded [integration time-out and margin, if known]
EFFECT_WINDOW_MS ?=
#: seconds that the judge may search for an order of a run with decrements [30]
SEARCH_BUDGET_S ?=
#: hosts besides loopback and the stack's own that may be loaded
ALLOW_HOST ?=
#: randomness of the run [random, recorded]
SEED ?=
#: aws: the local cloud keeps to AWS's limits (1,000 writes/s per item); none
LIMITS ?= none
#: the local cloud's database: ministack, dynalite, dynamodb-local, or any DynamoDB's address
ENGINE ?= ministack
#: for ENGINE=dynamodb-local: the folder with your own DynamoDBLocal.jar
DYNAMODB_LOCAL ?=
#: port of the local cloud that make deploy starts
LOCAL_PORT ?= 4566
#: the Python that makes .venv
PYTHON ?= python3

export TARGET URL ENDPOINT_URL STACK REGION DURATION USERS SPAWN_RATE CONNECTIONS RATE PROCESSES
export TIMEOUT RUN INITIAL RETURNS ALLOW_UNANSWERED ALLOW_HOST SEED LOCAL_PORT LIMITS
export FAULT CONTROLS RUNS FAULTS RATES DECREMENTS EFFECT_WINDOW_MS SEARCH_BUDGET_S
export ENGINE DYNAMODB_LOCAL ARRIVALS CONNECTIONS_MAX SHAPE TRANSPORT LOCUST_PROCESSES FAIL_FAST LOCUST_UI_PORT

# Many containers forbid Python to keep what it compiled. Each process of a run would then compile
# all that it imports, which takes three times as long as starting without (.venv is compiled as
# it is used, see runner/bootstrap.py). An empty value is as good as none.
export PYTHONDONTWRITEBYTECODE :=

RUNTIME := @$(PYTHON) runner/bootstrap.py requirements.txt $(filter dynalite,$(ENGINE)) && .venv/bin/python
CONTROLLED := @$(PYTHON) runner/bootstrap.py requirements-controls.txt $(filter dynalite,$(ENGINE)) && .venv/bin/python
DEVELOPMENT := @$(PYTHON) runner/bootstrap.py requirements-dev.txt && .venv/bin/python

##@ The experiment

.PHONY: loadtest
loadtest: ## deploy if needed, load, record, judge, report; fails unless PASS
	$(RUNTIME) -m runner loadtest

.PHONY: controls
# Thirteen runs: shorter ones, unless DURATION is asked for.
controls: export DURATION := $(if $(filter file,$(origin DURATION)),5s,$(DURATION))
controls: ## the same load against counters that are wrong in one known way: does every alarm ring?
	$(CONTROLLED) -m runner controls

.PHONY: sensitivity
sensitivity: ## how rare a fault is still caught: each fault at each rate (25 runs, 15 minutes; RUNS times that)
	$(RUNTIME) -m runner sensitivity

.PHONY: locust-ui
locust-ui: ## Locust's web page on the counter, recorded; Ctrl-C ends it, judges, reports
	$(RUNTIME) -m runner locust-ui

.PHONY: verify-atomicity
verify-atomicity: ## judge a recorded run again, offline (RUN=latest); loadtest if there is none
	$(RUNTIME) -m runner verify

.PHONY: report
report: ## write a run's verdict and report again (RUN=latest)
	$(RUNTIME) -m runner report

##@ The stack

.PHONY: deploy
deploy: ## put the stack up, or update it in place; with TARGET=local the local cloud stays running
	$(RUNTIME) -m deploy deploy

.PHONY: destroy
destroy: ## take the stack down, and the local cloud with it
	$(RUNTIME) -m deploy destroy

.PHONY: smoke
smoke: ## walk PUT, GET, GET, GET, decrement and check each number, under both ReturnValues
	$(RUNTIME) -m deploy smoke

.PHONY: inspect
inspect: ## show the integration method by method, against the template's intent, and what is served
	$(RUNTIME) -m deploy inspect

##@ Development

.PHONY: install
install: ## make .venv from the exact pins
	$(RUNTIME) --version

.PHONY: dynalite
dynalite: ## install the engine of ENGINE=dynalite from its exact pins (needs nodejs and npm)
	@$(PYTHON) runner/bootstrap.py dynalite

.PHONY: test
test: dynalite ## all tests, against the real local stack
	$(DEVELOPMENT) -m pytest -q -n 2 --dist loadgroup

.PHONY: check
check: ## lint, format, types, template
	$(DEVELOPMENT) -m ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/cfn-lint deploy/template.yml && echo "check: all clean"

.PHONY: bench
bench: ## measure beside floors: judge, recording, clients and lag (need gcc), bursts, local target (needs wrk)
	$(DEVELOPMENT) -m bench

.PHONY: clean
clean: ## remove caches; never reports/
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis && find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## this page
	@awk -f docs/help.awk $(MAKEFILE_LIST)
