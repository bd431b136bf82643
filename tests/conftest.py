"""What tests of several folders share."""

import os
import sys

import pytest

from pipeline import cli, weights
from pipeline.errors import UserError
from pipeline.npm_download import REGISTRY_VARIABLE
from pipeline.weights_kinds import NpmPackage

NOBODY = "http://127.0.0.1:1"


def pytest_configure():
    """Have optional weights for all tests or for none: what is made with them is another result."""
    for row in weights.TABLE:
        if isinstance(row.source, NpmPackage):
            try:
                weights.path(row.name)
            except UserError:
                os.environ[REGISTRY_VARIABLE] = NOBODY


@pytest.fixture
def humans4d(monkeypatch, capsys):
    """Run the command line in this process; gives the exit code and all that was printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["humans4d", *map(str, arguments)])
        code = cli._exit_code()
        printed = capsys.readouterr()
        text = printed.out + printed.err
        assert "Traceback" not in text
        return code, " ".join(text.split())

    return call
