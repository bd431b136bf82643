"""The two networks of BlazePose on LiteRT: load, cut away what is not read, run on every core.

One-threaded copies side by side give far more inferences a second than one copy with many threads.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pipeline.cores import cores

MAX_THREADS = 4


class Network:
    """One interpreter on one thread, with one picture as input."""

    def __init__(self, model: bytes):
        with _without_notices():
            self._interpreter = Interpreter(model_content=model, num_threads=1)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        """All outputs for a picture (size, size, 3) float32."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


@contextmanager
def _without_notices() -> Iterator[None]:
    """Keep LiteRT's notice of its CPU delegate, which no setting silences, off the terminal."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


class NetworkPool:
    """Copies of one network, so that several pictures are worked on at once."""

    def __init__(self, model: bytes, most_copies: int = MAX_THREADS):
        copies = min(most_copies, cores())
        self._idle: SimpleQueue[Network] = SimpleQueue()
        for _ in range(copies):
            self._idle.put(Network(model))
        self._executor = ThreadPoolExecutor(copies)

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """The outputs for one picture, in the calling thread."""
        network = self._idle.get()
        try:
            return network(picture)
        finally:
            self._idle.put(network)

    def submit(self, picture: np.ndarray) -> "Future[list[np.ndarray]]":
        """The outputs for one picture, later."""
        return self._executor.submit(self.run, picture)

    def __call__(self, pictures: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """The outputs for every picture, in order."""
        later = [self.submit(picture) for picture in pictures[1:]]
        first = [self.run(picture) for picture in pictures[:1]]
        return first + [future.result() for future in later]


def with_outputs(path: Path, keep: Sequence[int]) -> bytes:
    """The model file with only some of its outputs, and only the operations these need.

    The landmark network spends nearly half its time on a segmentation mask that nobody reads.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    graph.outputs = [graph.outputs[i] for i in keep]
    needed = {int(tensor) for tensor in graph.outputs}
    operators = []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs.tolist()):
            operators.append(operator)
            needed.update(operator.inputs.tolist())
    graph.operators = operators[::-1]
    builder = flatbuffers.Builder(path.stat().st_size)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
