"""Machines that are none: network namespaces of Linux, with processes, host names and mounts of their own.

A node is what a machine of a cluster is to a program: an address, a host name, processes that end with it, and folders
that others lack. It needs root, `unshare`, `nsenter` and `ip`.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nestfuse_core.common.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
PORT = 6379
TOKEN = secrets.token_hex(32)
RAY = Path("/tmp/ray")
"""Where Ray keeps what two nodes must not share."""
# It gives its processes half a minute, and some of them a quarter; a busy machine may not start them in that.
PATIENCE = {"RAY_agent_register_timeout_ms": "60000", "RAY_raylet_start_wait_time_s": "60"}
TRIES = 3
INIT = """
set -e; hostname "$1"; ip link set lo up; ip address add "$2" dev lo; mount --bind "$3" /tmp/ray; shift 3
for hidden; do mount -t tmpfs tmpfs "$hidden"; done
echo ready; while :; do sleep 1000 & wait; done
"""
"""What a node begins with: its name, its address, Ray's folder and the folders to hide."""
Words = Sequence[str | Path]


@dataclass
class Node:
    """A machine of the cluster.

    Attributes:
        name: its host name.
        address: its IPv4 address.
        place: a folder for what is its own.
        hidden: folders that are empty on it.
    """

    name: str
    address: str
    place: Path
    hidden: tuple[Path, ...] = ()
    _holder: subprocess.Popen[str] | None = None
    _inside: int = 0
    _seconds: dict[int, float] = field(default_factory=dict)

    def boot(self) -> None:
        """Start it, with no network yet.

        Raises:
            UserError: this machine does not let us.
        """
        own = self.place / self.name
        own.mkdir(parents=True, exist_ok=True)
        RAY.mkdir(exist_ok=True)
        spaces = ["--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
        words = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            *spaces,
            "bash",
            "-c",
            INIT,
            "init",
            self.name,
            self.address,
            own,
            *self.hidden,
        ]
        self._holder = subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if self._holder.stdout.readline() != "ready\n":
            reason = " ".join(self._holder.stderr.read().split())
            raise UserError(f"Expected to make network namespaces, which needs root on Linux, but: {reason}.")
        holder = self._holder.pid
        self._inside = int(Path(f"/proc/{holder}/task/{holder}/children").read_text().split()[0])

    def begin(self, words: Words, **options: object) -> subprocess.Popen[str]:
        """Start a program on it; ``options`` are Popen's."""
        enter = ["nsenter", "--target", str(self._inside), "--net", "--mount", "--uts", "--pid"]
        # Each has weights of its own; the token is what lets nobody else in.
        own = {"RGBT_CACHE": str(self.place / f"cache-{self.name}"), "PYTHONPATH": str(REPOSITORY)}
        own |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
        return subprocess.Popen([*enter, *map(str, words)], env={**os.environ, **PATIENCE, **own}, text=True, **options)  # type: ignore[call-overload,no-any-return]

    def run(self, words: Words) -> tuple[int, str]:
        """Run a program on it; return its exit code and what it said."""
        program = self.begin(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = program.communicate(timeout=600)
        return program.returncode, said

    def join(self, places: int, head: Node | None = None) -> None:
        """Join the cluster of ``head``, or start one, with room for that many jobs.

        Raises:
            UserError: Ray does not start.
        """
        role = ["--head", "--port", str(PORT), "--include-dashboard", "false"]
        if head is not None:
            role = ["--address", f"{head.address}:{PORT}"]
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", *role, "--node-ip-address", self.address]
        limits = ["--num-cpus", str(places), "--object-store-memory", "200000000", "--disable-usage-stats"]
        for _ in range(TRIES):
            code, said = self.run([*words, *limits])
            if not code:
                return
            self.run([sys.executable, "-m", "ray.scripts.scripts", "stop", "--force"])
        raise UserError(f"Ray does not start on {self.name}: {' '.join(said.split())[-300:]}.")

    def processes(self) -> Iterator[tuple[int, str]]:
        """Number and command line of each of its processes."""
        if self._holder is None:
            return
        own = Path(f"/proc/{self._inside}/ns/pid").readlink()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "ns/pid").readlink() == own:
                    yield int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:  # it has ended meanwhile
                continue

    def workers(self, busy: bool = True) -> list[int]:
        """Its processes that run a job, or could."""
        word = "RemoteWorker.run" if busy else "RemoteWorker"
        return [number for number, line in self.processes() if word in line]

    def processor_seconds(self) -> float:
        """Of all its processes so far, as far as they were seen: ask again and again."""
        for number, _ in self.processes():
            try:
                fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            self._seconds[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return sum(self._seconds.values())

    def kill(self) -> None:
        """End it at once with all its processes, as a power cut does."""
        if self._holder is not None:
            self._holder.kill()
            self._holder.communicate()
            until(lambda: not Path(f"/proc/{self._inside}").exists(), "a node to end")
            self._holder = None


def kill(number: int) -> None:
    """End a process at once."""
    os.kill(number, signal.SIGKILL)


def lay_cable(one: Node, other: Node) -> None:
    """Join two nodes by a pair of virtual network cards; a killed node's is gone with it, and the other's too."""
    cards = {"rgbt-one": (one, other), "rgbt-other": (other, one)}
    first, second = cards
    subprocess.run(["ip", "link", "add", first, "type", "veth", "peer", "name", second], check=True)
    for card, (node, peer) in cards.items():
        subprocess.run(["ip", "link", "set", card, "netns", str(node._inside)], check=True)
        node.run(["ip", "link", "set", card, "up"])
        # The address is not the card's, so that a node keeps it when its peer is gone.
        node.run(["ip", "route", "add", peer.address, "dev", card, "src", node.address])


def until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait.

    Raises:
        UserError: it takes longer than that.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise UserError(f"Waited {seconds:g} s in vain for {what}.")
        time.sleep(0.05)
