"""A folder of videos, done by several processes, through every fault (docs/batch.md).

`find` lists the videos, `manifest` remembers each one's state, `drive` hands them to an engine
(`local`, `ray_engine`) and writes down what comes back; `perform` does one video in a process
that keeps its networks.
"""
