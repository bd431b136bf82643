"""Who holds a claim, and whether that process is surely gone."""

import os
import socket
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")


def this_holder() -> str:
    """This process, told apart from every other on every machine."""
    return f"{_machine()}|{os.getpid()}|{_started(os.getpid())}"


def is_surely_dead(holder: str) -> bool:
    """True if the holder ran on this very machine (and in this container) and does not any more.

    False says nothing: of other machines only the lease tells.
    """
    machine, _, process = holder.rpartition("|")[0].rpartition("|")
    if machine != _machine() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(int(process)) != holder.rpartition("|")[2]  # its number was given to another


def host_of(holder: str) -> str:
    """The machine's name and the process, for people to read."""
    parts = holder.split("|")
    return f"{parts[0]}:{parts[-2]}" if len(parts) > 2 else holder  # noqa: PLR2004


def _machine() -> str:
    """The host, its boot and its container: process numbers mean the same only within all three."""
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    try:
        inside = os.readlink(PID_NAMESPACE)
    except OSError:
        inside = ""
    return f"{socket.gethostname()}|{boot}|{inside}"


def _started(process: int) -> str:
    """When a process began, in ticks since boot; empty where the system does not tell."""
    try:
        facts = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return facts.rpartition(")")[2].split()[19]
