"""Making ahead: order kept, bounded, errors passed on, threads ended."""

import threading
import time

import pytest

from pipeline.overlap import prefetch


def makers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "prefetch" and t.is_alive()]


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_order_is_kept_and_the_end_comes_once(depth):
    with prefetch(range(50), depth) as ahead:
        assert list(ahead) == list(range(50))
        assert list(ahead) == []
    assert makers() == []


def test_never_further_ahead_than_asked():
    made = []

    def source():
        for number in range(50):
            made.append(number)
            yield number

    with prefetch(source(), 3) as ahead:
        for number in ahead:
            time.sleep(0.002)
            # depth waiting, one in the maker's hand, one here
            assert made[-1] <= number + 3 + 1


def test_an_error_comes_after_what_was_made_before_it():
    def source():
        yield from (1, 2)
        raise OSError("the disk went away")

    got = []
    with pytest.raises(OSError, match="went away"), prefetch(source(), 8) as ahead:
        for number in ahead:
            got.append(number)
    assert got == [1, 2]
    assert makers() == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_leaving_early_stops_the_maker_and_closes_the_source(error):
    closed = threading.Event()

    def source():
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    with pytest.raises(error), prefetch(source(), 2) as ahead:
        assert next(ahead) == 0
        raise error
    assert closed.is_set()
    assert makers() == []


def test_an_abandoned_one_ends_by_itself():
    ahead = prefetch(iter(range(1000)), 2)
    assert next(ahead) == 0
    thread = ahead._thread
    del ahead
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_depth_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        prefetch([1], 0)
