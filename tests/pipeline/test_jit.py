"""Compilation with and without a place for the cache."""

import logging

import numba

from pipeline.jit import jit


def doubled(x):
    return x + x


def test_compiled_code_gives_the_same_result():
    assert jit(doubled)(21) == 42


def test_without_a_place_for_the_cache_the_program_still_runs(monkeypatch, caplog):
    real = numba.njit

    def refusing(*args, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", refusing)
    with caplog.at_level(logging.WARNING):
        assert jit(doubled)(21) == 42
    assert "doubled is compiled in every run" in caplog.text
