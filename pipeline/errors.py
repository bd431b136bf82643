"""Errors meant for users: one line that says what, where and what to do, with an exit code."""

EXIT_OK = 0
EXIT_INTERNAL = 1
EXIT_SETTINGS = 2
EXIT_INPUT = 3
EXIT_MISSING = 4
EXIT_OUTPUT = 5
EXIT_STRICT = 6
EXIT_BATCH = 7
EXIT_INTERRUPTED = 130

EXIT_CODES = {
    EXIT_OK: "done",
    EXIT_INTERNAL: "a fault of humans4d itself",
    EXIT_SETTINGS: "wrong settings or usage",
    EXIT_INPUT: "the input cannot be used",
    EXIT_MISSING: "weights, a package, a body file or the network is missing",
    EXIT_OUTPUT: "a result cannot be written or read, or is not valid",
    EXIT_STRICT: "--strict, and something was dropped, assumed or replaced",
    EXIT_BATCH: "some videos of a batch failed",
    EXIT_INTERRUPTED: "interrupted",
}
"""Every exit code and its meaning: the one home; help and docs show this table."""


class UserError(Exception):
    """Something the user can mend. Its text is shown as it is, without a traceback."""

    exit_code = EXIT_INTERNAL


class SettingsError(UserError):
    """A setting, option or backend name is wrong."""

    exit_code = EXIT_SETTINGS


class InputError(UserError):
    """The input video or file cannot be used."""

    exit_code = EXIT_INPUT


class MissingError(UserError):
    """Weights, a body file, a package or a network is missing."""

    exit_code = EXIT_MISSING


class OutputError(UserError):
    """The result cannot be written (permission, disk full) or read back."""

    exit_code = EXIT_OUTPUT


class StrictError(UserError):
    """`--strict` was given and something was dropped, assumed or replaced."""

    exit_code = EXIT_STRICT


class BatchError(UserError):
    """Some videos of a batch have no result."""

    exit_code = EXIT_BATCH
