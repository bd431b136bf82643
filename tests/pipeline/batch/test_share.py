"""Who gets which cores and which GPU."""

import pytest

from pipeline.batch.share import default_workers, gpus_here, gpus_in, worker_environment
from pipeline.cores import VARIABLE, cores

TWO = """GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
"""
CUT_UP = """GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
  MIG 3g.20gb     Device  0: (UUID: MIG-x1)
  MIG 3g.20gb     Device  1: (UUID: MIG-x2)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
"""


@pytest.mark.parametrize(("total", "workers", "each"), [(8, 3, "2"), (2, 2, "1"), (1, 4, "1")])
def test_cores_are_shared_out_evenly(total, workers, each):
    environment = worker_environment(0, workers, total, [], {"HOME": "/h"})
    assert environment[VARIABLE] == environment["OMP_NUM_THREADS"] == each
    assert environment["HOME"] == "/h"
    assert "CUDA_VISIBLE_DEVICES" not in environment


def test_fewer_threads_asked_for_stay_fewer():
    given = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "64", "MKL_NUM_THREADS": "many"}
    environment = worker_environment(0, 2, 16, [], given)
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
    assert [environment[name] for name in names] == ["1", "8", "8"]


def test_gpus_go_round():
    chosen = [worker_environment(n, 5, 8, ["0", "2"], {})["CUDA_VISIBLE_DEVICES"] for n in range(5)]
    assert chosen == ["0", "2", "0", "2", "0"]


def test_gpus_are_those_allowed_else_those_there():
    assert gpus_here({"CUDA_VISIBLE_DEVICES": "3, 5"}) == ["3", "5"]
    assert gpus_here({"CUDA_VISIBLE_DEVICES": ""}) == []
    assert gpus_in(TWO) == ["GPU-aaaa-1", "GPU-bbbb-2"]
    assert gpus_in(CUT_UP) == ["MIG-x1", "MIG-x2", "GPU-bbbb-2"]
    assert gpus_in("No devices were found\n") == []


def test_how_many_workers():
    assert [default_workers(*given) for given in ((2, 0), (16, 0), (1, 0), (16, 4))] == [1, 8, 1, 4]


def test_a_given_number_of_cores_counts(monkeypatch):
    monkeypatch.setenv(VARIABLE, "3")
    assert cores() == 3
    monkeypatch.setenv(VARIABLE, "none")
    assert cores() >= 1
