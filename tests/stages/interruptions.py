"""What stops a stage in the middle of its work."""


class Interrupted(Exception):
    """As good as a kill: nothing is put in order."""


class Counted:
    """A function that counts its calls and, if told to, stops before one of them."""

    def __init__(self, function, stop_after=10**6):
        self.function, self.calls, self.stop_after = function, 0, stop_after

    def __call__(self, *arguments):
        if self.calls == self.stop_after:
            raise Interrupted
        self.calls += 1
        return self.function(*arguments)
