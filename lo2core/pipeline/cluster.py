"""Work on the workers of a Dask cluster (Rocklin, SciPy 2015): the only module that imports Dask.

A worker calls a function just as this process would. The results come in the order of the values, whatever the number
of workers and the order in which they finish. Dask gives the work of a worker that died to another one.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from lo2core.base.errors import InputError, reason
from lo2core.base.text import plural
from lo2core.store.parquet import lo2core_version

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

EXTRA = "pip install 'lo2core[cluster]'"
_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
_SCHEDULER = re.compile(r"(?!local:)(?:(?:tcp|tls|ws|wss)://)?[^\s:/]+:[0-9]{1,5}/?")
_AHEAD = 8
"""Values for each thread of the workers that are given out before the first of their results is needed."""
_CONNECT_S, _LOOK_S = 10.0, 2.0
_SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.large-graph-warning-threshold": "1GB",
    # Each worker has one thread, so more threads in the libraries would only wait for one another.
    **{f"distributed.nanny.pre-spawn-environ.{name}": 1 for name in ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS")},
}


class Cluster:
    """The workers of a Dask scheduler. `connected` makes one."""

    def __init__(self, client: Client, address: str) -> None:
        self._client, self.address = client, address
        self.is_local = bool(_LOCAL.fullmatch(address))
        self._threads: dict[str, int] = {}
        self._looked = float("-inf")

    def map(self, function: Callable[[T], R], values: Iterable[T]) -> Iterator[R]:
        """The results of the function for each value, in their order; both must be picklable.

        The function is sent once to each worker that needs it. Values are given out some time before their results are
        needed. What the function raises is raised here. Raises InputError if the cluster is lost, if workers die over
        the same value again and again, and for workers with other versions of the libraries.
        """
        ahead: deque[Any] = deque()
        with _understood(self.address):
            kept = self._client.submit(_Call, function, _versions(), pure=False)
            try:
                for value in values:
                    ahead.append(self._client.submit(_called, kept, [value], pure=False))
                    while len(ahead) > _AHEAD * max(1, sum(self.threads().values())):
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                if ahead and self._client.status == "running":
                    self._client.cancel(list(ahead), asynchronous=False)

    def threads(self) -> dict[str, int]:
        """The number of threads of each worker, as it was at most two seconds ago."""
        if time.monotonic() - self._looked > _LOOK_S and self._client.status == "running":
            with suppress(OSError):  # the scheduler is gone: `map` says so
                self._threads = dict(self._client.nthreads())
            self._looked = time.monotonic()
        return self._threads

    def label(self, what: str) -> str:
        """What a progress says: what is done, and by how many workers."""
        return f"{what} on {plural(len(self.threads()), 'worker')}"


@contextmanager
def connected(cluster: Cluster | str | None) -> Iterator[Cluster | None]:
    """The cluster at the address of a scheduler, or `local:N` workers of this machine; None for None.

    A cluster that is connected already stays so after the block. Raises InputError for anything else, if Dask is not
    installed, and if no scheduler answers.
    """
    if cluster is None or isinstance(cluster, Cluster):
        yield cluster
        return
    local = _LOCAL.fullmatch(cluster)
    if not local and not _SCHEDULER.fullmatch(cluster):
        raise InputError(
            f"{cluster!r} is not a cluster: give the address of a Dask scheduler, such as tcp://10.0.0.7:8786, or "
            "local:N for N processes on this machine."
        )
    if not local:
        _check_listening(cluster)
    try:
        import dask
        import distributed  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(f"--cluster needs the package distributed: run `{EXTRA}`.") from None
    _silence("distributed", "tornado", "asyncio")
    with dask.config.set(_SETTINGS), ExitStack() as stack:
        try:
            opened = _local_workers(int(local[1])) if local else _remote(cluster)
            client = stack.enter_context(opened)
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            raise _no_scheduler(cluster, error) from error
        yield Cluster(client, cluster)


def _silence(*packages: str) -> None:
    """Print nothing that these packages log, tracebacks included: what ends the work is said in one sentence."""
    for name in (*packages, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in packages:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _remote(address: str) -> Client:
    from distributed import Client

    return Client(address, timeout=_CONNECT_S, set_as_default=False)


def _check_listening(address: str) -> None:
    """Raises InputError if nobody listens, or something else than a scheduler: Dask would try for long.

    Over plain TCP, Dask speaks first; others, such as a web server, wait for a request.
    """
    named = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        with socket.create_connection((named.hostname, named.port), timeout=_CONNECT_S) as connection:
            if named.scheme == "tcp" and not connection.recv(1):
                raise OSError("it closed the connection")
    except TimeoutError as error:
        raise _no_scheduler(address, OSError("nothing came from there that Dask would send")) from error
    except (OSError, ValueError, OverflowError) as error:
        raise _no_scheduler(address, error) from error


def _no_scheduler(address: str, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or reason(error)
    return InputError(
        f"No Dask scheduler answers at {address} ({why}). Start one with `dask scheduler`, or use local:N."
    )


@contextmanager
def _local_workers(n: int) -> Iterator[Client]:
    """A client of `n` processes with one thread each.

    They listen on the loopback interface only and speak TLS with a key that nobody else has: whoever can talk to a
    scheduler can run code in its workers.
    """
    from distributed import Client, LocalCluster, Security

    with (
        LocalCluster(
            n_workers=n,
            threads_per_worker=1,
            memory_limit=None,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            security=Security.temporary(),
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def _understood(address: str) -> Iterator[None]:
    """What Dask raises becomes an InputError."""
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker, NoValidWorkerError

    try:
        yield
    except (KilledWorker, NoValidWorkerError) as error:
        raise InputError(
            f"Several workers of {address} died over the same work. Give them more memory, then repeat the command: it "
            "continues with what is not finished."
        ) from error
    except (CancelledError, CommClosedError, TimeoutError) as error:
        raise InputError(
            f"The scheduler {address} is gone. Start it again, then repeat the command: it continues with what is not "
            "finished."
        ) from error
    except ModuleNotFoundError as error:
        raise InputError(
            f"A worker of {address} lacks the package {error.name}: install what this machine has on all workers."
        ) from error


class _Call:
    """A function, and the versions of the libraries with which it must be called."""

    def __init__(self, function: Callable[[Any], Any], versions: dict[str, str]) -> None:
        self.function, self.versions = function, versions


def _called(call: _Call, value: list[Any]) -> Any:
    """In a worker. The value is in a list, so that Dask leaves it as it is."""
    for package, wanted in call.versions.items():
        if (found := _versions()[package]) != wanted:
            raise InputError(
                f"The worker on {socket.gethostname()} has {package} {found}, this machine {wanted}, so results could "
                "differ: install the same version on both."
            )
    return call.function(value[0])


@cache
def _versions() -> dict[str, str]:
    return {"lo2core": lo2core_version()} | {name: version(name) for name in ("polars", "scikit-learn", "numpy")}
