"""What tests of detectors share."""

import pytest

from tests.stages.detection.walkers import first_second


@pytest.fixture(scope="session")
def pictures():
    """The first second of two people walking."""
    return first_second()
