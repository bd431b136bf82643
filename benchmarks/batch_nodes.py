"""Two Ray nodes on one machine, one lost midway: nothing lost, results those of the local engine.

``python -m benchmarks.batch_nodes FOLDER [--clips 6]``
"""

import argparse
import threading
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from benchmarks.batch import film
from benchmarks.same_results import differences
from pipeline.batch.begin import Wish, run_batch
from pipeline.batch.drive import Driver
from pipeline.batch.find import search
from pipeline.config import load_settings

WORKERS = 2


class NodeKiller:
    """Prints what happens, and takes the second node away while it works on a video."""

    def __init__(self, cluster: Cluster, node: object) -> None:
        self._cluster, self._node, self.killed = cluster, node, False

    def note(self, status: str, name: str, text: str) -> None:
        """See `pipeline.batch.drive.Show`."""
        print(f"{status} {name}: {text}", flush=True)

    def tick(self, driver: Driver) -> None:
        """Kill once both workers are well into a video."""
        busy = [running for running in driver.running.values() if running.at.frames > 0]
        if not self.killed and len(busy) == WORKERS:
            self.killed = True
            print("one node is killed", flush=True)
            end = lambda: self._cluster.remove_node(self._node, allow_graceful=False)  # noqa: E731
            threading.Thread(target=end).start()


def main() -> None:
    """Film, run, lose a node, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--url", default="", help="send results there, such as file:///tmp/x")
    given = parser.parse_args()
    folder: Path = given.folder.absolute()
    film(folder, given.clips, 1)
    videos = folder / "block0"
    plain = Wish(videos, folder / "local", load_settings(), workers=1)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    killer = NodeKiller(cluster, cluster.add_node(num_cpus=1))
    ray.init(address=cluster.address, log_to_driver=False)
    wish = Wish(
        videos,
        folder / "ray",
        load_settings(),
        workers=WORKERS,
        engine="ray",
        address=cluster.address,
        upload=given.url,
    )
    began_s = time.perf_counter()
    ended = run_batch(wish, killer, print)
    print(f"{time.perf_counter() - began_s:.0f} s, a node was killed: {killer.killed}")
    ray.shutdown()
    cluster.shutdown()
    run_batch(plain, killer, print)
    states = {row.name: (row.status, row.attempts) for row in ended.rows}
    there = Path(given.url.removeprefix("file://")) if given.url else folder / "ray"
    wrong = [
        f"{found.name}: {name}"
        for found in search(videos, folder / "nowhere").videos
        for name in differences(there / found.name, folder / "local" / found.name)
    ]
    print(f"{states}\ndiffer: {wrong}")


if __name__ == "__main__":
    main()
