# Every target makes the environment it needs, in .venv; the bench's peers and the site have one of
# their own.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PEERS := .venv-peers
DOCS := .venv-docs

PRESET ?=
SEEDS ?=
ONLY ?=
DATA_DIR ?=
WORKERS ?=
OUTPUT ?=
INPUTS ?=
MOMENTS ?=
DRY_RUN ?=
# DRY_RUN=0 is none.
DRY = $(filter-out 0,$(DRY_RUN))

# What is misspelt would be ignored, and hours of training be those of another study.
KNOWN := PYTHON VENV PY INSTALLED PEERS DOCS PRESET SEEDS ONLY DATA_DIR WORKERS OUTPUT DRY_RUN \
	INPUTS MOMENTS TF_CPP_MIN_LOG_LEVEL
TYPED := $(foreach each,$(.VARIABLES),$(if \
	$(filter command,$(firstword $(origin $(each)))),$(each)))
UNKNOWN := $(filter-out $(KNOWN) MAKE%,$(TYPED))
ifneq ($(UNKNOWN),)
$(error Unknown variable $(UNKNOWN). Known: PRESET SEEDS ONLY DATA_DIR WORKERS OUTPUT INPUTS MOMENTS DRY_RUN)
endif

# What was typed is text: a dollar in it is no variable of make's.
$(foreach each,$(filter-out MAKE%,$(TYPED)),$(eval override $(each) := $$(value $(each))))

# A value as one word of the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'

# TensorFlow's start-up chatter hides what a command has to say.
export TF_CPP_MIN_LOG_LEVEL ?= 3

# What was typed, for the record; what was not is the study's own default.
TYPED_COMMAND = make $@$(if $(PRESET), PRESET=$(PRESET))$(if \
	$(SEEDS), SEEDS=$(SEEDS))$(if $(ONLY), ONLY="$(ONLY)")$(if \
	$(DATA_DIR), DATA_DIR="$(DATA_DIR)")$(if $(WORKERS), WORKERS=$(WORKERS))$(if \
	$(OUTPUT), OUTPUT="$(OUTPUT)")$(if $(DRY), DRY_RUN=$(DRY_RUN))
STUDY = MTL_DM_COMMAND=$(call quoted,$(TYPED_COMMAND)) $(PY) -m
option = $(if $(2),--$(1)=$(call quoted,$(2)))
OPTIONS = $(call option,preset,$(PRESET)) $(call option,seeds,$(SEEDS)) \
	$(call option,only,$(ONLY)) $(call option,data_dir,$(DATA_DIR)) \
	$(call option,output,$(OUTPUT)) $(if $(DRY),--dry_run)
# Only studies that train take workers. A dry run of another one is refused, not left out.
TRAINING = $(OPTIONS) $(call option,workers,$(WORKERS))

.PHONY: help test lint fuzz gallery bench peers docs pretrain study reproduce-table1 reproduce-table2 \
	reproduce-table3 reproduce-table4 reproduce-table5 reproduce-real-faces reproduce-faces \
	reproduce-dynamic reproduce-transfer clean

help:  ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22
	@echo 'Variables: PRESET=demo|demo-full|real|cad|paper|paper-recipes|public|quick'
	@echo '           (study: quick|full|protection; real-faces: quick|full)'
	@echo '           SEEDS=n (Tables 2, 3, faces, dynamic, transfer)  ONLY="row or column"  DATA_DIR=folder'
	@echo '           WORKERS=n (cells side by side, 2)  OUTPUT=folder (runs/TABLE, of'
	@echo '           another preset than the default one runs/TABLE-PRESET)'
	@echo '           INPUTS=n, MOMENTS=n (fuzz: of every kind of file 10,000, of every command 20)'
	@echo '           DRY_RUN=1 (say what would be trained, on what and how long)'

$(INSTALLED): setup.py
	@echo 'Installing into $(VENV): some GB, a few minutes'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade pip
	@# setuptools would warn that an editable install is one.
	PYTHONWARNINGS=ignore $(PY) -m pip install --quiet --editable '.[dev]'
	touch $@

$(PEERS)/.installed: setup.py
	@echo 'Installing into $(PEERS): some GB, a few minutes'
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(PEERS)/bin/python -m pip install --quiet --editable '.[peers]'
	touch $@

test: $(INSTALLED)  ## Run all tests (about 10 minutes)
	$(PY) -m pytest tests -n 2 --dist worksteal

lint: $(INSTALLED)  ## Check style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

$(VENV)/.fuzz: $(INSTALLED)
	PYTHONWARNINGS=ignore $(PY) -m pip install --quiet --editable '.[fuzz]'
	touch $@

FUZZED = $(call option,only,$(ONLY)) $(call option,output,$(OUTPUT))
fuzz: $(VENV)/.fuzz  ## Damage every kind of file, kill every command, into runs/fuzz (hours)
	@# What the first one finds does not keep the second one from running.
	status=0; \
	KERAS_BACKEND=numpy $(PY) -m tests.fuzz $(call option,inputs,$(INPUTS)) $(FUZZED) || status=$$?; \
	$(if $(ONLY),,$(PY) -m tests.fuzz.kills $(call option,moments,$(MOMENTS)) $(FUZZED) || status=$$?;) \
	exit $$status

gallery: $(INSTALLED)  ## Draw contact sheets of the synthetic faces into runs/gallery
	$(PY) -m mtl_dm.reporting.gallery --output=runs/gallery

bench: $(INSTALLED)  ## Time the library beside the alternatives into runs/bench (about 20 minutes)
	$(PY) -m experiments.bench

peers: $(PEERS)/.installed  ## Install PyTorch and TorchJD, some GB, for the bench to time beside

$(DOCS)/.installed: setup.py
	@echo 'Installing into $(DOCS): some GB, a few minutes'
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(DOCS)/bin/python -m pip install --quiet --editable '.[docs]'
	touch $@

docs: $(DOCS)/.installed  ## Build the site into docs/_build/html; its tutorials run once
	$(DOCS)/bin/python -m sphinx --fail-on-warning --keep-going -q docs docs/_build/html
	@echo 'docs/_build/html/index.html'

pretrain: $(INSTALLED)  ## Make the checkpoint in mtl_dm/pretrained (about an hour), needs DATA_DIR
	$(STUDY) experiments.pretrain --data_dir=$(call quoted,$(DATA_DIR)) \
		$(call option,output,$(OUTPUT))

study: $(INSTALLED)  ## Which coupling holds, into runs/coupling_study (PRESET=quick|full|protection)
	$(STUDY) experiments.coupling_study $(TRAINING)

reproduce-table1: $(INSTALLED)  ## Table 1 (relatedness) into runs/table1; more with DATA_DIR=<folder>
	$(STUDY) experiments.table1 $(OPTIONS)

reproduce-table2: $(INSTALLED)  ## Table 2 on synthetic faces into runs/table2; PRESET=real needs DATA_DIR
	$(STUDY) experiments.table2 $(TRAINING)

reproduce-table3: $(INSTALLED)  ## Table 3 on synthetic clips into runs/table3, three seeds
	$(STUDY) experiments.table3 $(TRAINING)

reproduce-table4: $(INSTALLED)  ## Table 4 into runs/table4; with clothes, and PRESET=cad, DATA_DIR
	$(STUDY) experiments.table4 $(TRAINING)

reproduce-table5: $(INSTALLED)  ## Table 5 (balancing methods) into runs/table5, needs DATA_DIR
	$(STUDY) experiments.table5 $(TRAINING)

reproduce-real-faces: $(INSTALLED)  ## Real faces with few labels into runs/real_faces, needs DATA_DIR
	$(STUDY) experiments.real_faces $(TRAINING)

reproduce-faces: $(INSTALLED)  ## Expressions, units, valence-arousal, compounds into runs/faces
	$(STUDY) experiments.faces $(TRAINING)

reproduce-dynamic: $(INSTALLED)  ## Dynamic weights, verification into runs/dynamic; with DATA_DIR
	$(STUDY) experiments.dynamic $(TRAINING)

reproduce-transfer: $(INSTALLED)  ## Several encoders into one student, into runs/transfer; with DATA_DIR
	$(STUDY) experiments.transfer $(TRAINING)

clean:  ## Remove the environment, caches and built data sets; runs/ is kept
	rm -rf $(VENV) $(PEERS) $(DOCS) docs/_build docs/reference/generated
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
