"""Training runs as a user starts them: killed and resumed, and in two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harmonizer.learning import recipes, run
from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.recipes import Recipe

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(
    network=NetworkConfig(encoder="test_efficientnet", input_size=32),
    pretrained=False,
    steps=20,
    batch_size=16,
    sizes=((1.0, 32),),
    warmup=2,
    augmentation=Augmentation(
        uncropped=0.3, part_of_object=0.3, relight=0.3, bad_cutout=0.3, bad_input_mask=0.3, jpeg=0.3
    ),
)


def begin(*arguments):
    # As many threads as here: the order of sums, and with it the last bit, depends on their number.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    with process:
        try:
            output, _ = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    assert process.returncode == 0, output


def wait_for(path, process):
    limit = time.monotonic() + 240
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_run_that_was_killed_ends_with_the_weights_of_one_that_was_not(photo_folder, tmp_path):
    (tmp_path / "recipe.json").write_text(recipes.to_json(RECIPE))
    broken = begin("harmonizer", "train", photo_folder, tmp_path / "broken", "--recipe", tmp_path / "recipe.json")
    wait_for(tmp_path / "broken" / "last.pt", broken)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    reached = torch.load(tmp_path / "broken" / "last.pt", weights_only=True)["step"]
    assert 0 < reached < RECIPE.steps
    resumed = begin("harmonizer", "train", photo_folder, tmp_path / "broken", "--resume")
    run.run(RECIPE, photo_folder, tmp_path / "whole", resume=False)
    finish(resumed)
    first, second = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "broken"))
    assert first["step"] == second["step"] == RECIPE.steps
    for part in ("network", "averaged"):
        for name, value in first[part].items():
            assert torch.equal(value, second[part][name]), name
    files = ("log.jsonl", "recipe.json", "model.safetensors", "best/model.safetensors")
    for file in files[1:]:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "broken" / file).read_bytes(), file
    scores = [
        [line for line in (tmp_path / name / "log.jsonl").read_text().splitlines() if "score" in line]
        for name in ("whole", "broken")
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 10


def test_torchrun_goes_on_where_a_process_was_killed(photo_folder, tmp_path):
    recipe = replace(RECIPE, frozen_norm=True)
    (tmp_path / "recipe.json").write_text(recipes.to_json(recipe))
    launch = ("torch.distributed.run", "--standalone", "--nproc-per-node", 2)

    def command(name):
        return ("-m", "harmonizer", "train", photo_folder, tmp_path / name, "--recipe", tmp_path / "recipe.json")

    whole = begin(*launch, *command("whole"))
    finish(whole)
    broken = begin(*launch, "--max-restarts", 1, "--monitor-interval", 0.1, *command("broken"))
    wait_for(tmp_path / "broken" / "last.pt", broken)
    ranks = subprocess.run(["pgrep", "-P", str(broken.pid)], capture_output=True, text=True, check=True).stdout.split()
    assert len(ranks) == 2
    os.kill(int(ranks[1]), signal.SIGKILL)
    reached = torch.load(tmp_path / "broken" / "last.pt", weights_only=True)["step"]
    assert reached < RECIPE.steps
    finish(broken)
    first, second = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "broken"))
    assert second["step"] == RECIPE.steps
    for name, value in first["averaged"].items():
        torch.testing.assert_close(value, second["averaged"][name], rtol=1e-4, atol=1e-5)
    scores = [line for line in (tmp_path / "broken" / "log.jsonl").read_text().splitlines() if "score" in line]
    assert len(scores) == 10


def test_two_processes_find_the_gradients_of_one_and_finish(photo_folder, tmp_path):
    # Two steps, since none but the last layer has a gradient at the first, from theta = 0. The encoder rests, lest Adam
    # make steps of rounding, and batch norm keeps its statistics: on the CPU each process would measure its own half.
    recipe = replace(RECIPE, steps=2, frozen_norm=True, encoder_learning_rate=1e-12, head_learning_rate=1e-2)
    (tmp_path / "recipe.json").write_text(recipes.to_json(recipe))
    command = ("train", photo_folder, tmp_path / "two", "--recipe", tmp_path / "recipe.json")
    both = begin("torch.distributed.run", "--standalone", "--nproc-per-node", 2, "-m", "harmonizer", *command)
    run.run(recipe, photo_folder, tmp_path / "one", resume=False)
    finish(both)
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two"))
    assert one["step"] == two["step"] == 2
    # Adam's first moment is a mean of the gradients.
    gradients = [[moment["exp_avg"] for moment in saved["optimizer"]["state"].values()] for saved in (one, two)]
    assert sum(float(gradient.norm()) > 0 for gradient in gradients[0]) > 30
    for first, second in zip(*gradients, strict=True):
        assert float((first - second).norm()) <= 1e-2 * float(first.norm()) + 1e-9
    losses = [
        next(json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines() if '"L1"' in line)
        for name in ("one", "two")
    ]
    for loss in ("L1", "L6", "final", "unharmonized"):
        assert losses[0][loss] == pytest.approx(losses[1][loss], rel=1e-3)
