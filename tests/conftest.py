"""What tests of several folders share."""

import sys

import pytest

from pipeline import cli


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
