"""Orders on a Ray cluster: a map like any other, so that nothing above it knows where it ran.

1. What is the same for every order of a pass goes into the object store once, and each node holds one copy of it; an
   order is four integers. Sets that stay on disk travel as paths, by themselves.
2. Twice as many orders are on their way as can run at once; results are handed on in the order of the items. When a
   run ends early, those finish by themselves and nobody reads them: cancelling them is not safe (decision 082).
3. A worker or a node that dies costs the orders it had, which run again elsewhere, up to three times. An order that
   raises does not run again, except after an error of the operating system; whatever ends a run names its order.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from tripleteval.engine.maps import Item, Result, available_cores
from tripleteval.engine.plan import Order
from tripleteval.errors import BackendError, EvalError, MissingExtra, ParameterError

RETRIES = 3
_LOOK_AGAIN = 10.0  # seconds after which the cluster may have grown or shrunk
_ANSWER = 60.0  # seconds a node may take to say what is installed
_KNOCK = 5.0

_held: dict[str, Any] = {}  # in a worker: the function of the pass at hand, with whatever it made ready


def ray_map(address: str = "local", *, workers: int | None = None, gpus: float = 0.0, cpus: int = 1) -> RayMap:
    """Return a map over the workers of a Ray cluster, for ``evaluate(..., map=...)`` and ``evaluate_search``.

    Use it in a ``with`` statement, or call its ``close``: a cluster that was started for it is then shut down. The
    numbers are those of one process, whatever the workers. ``memory`` is then what each worker may use.

    Args:
        address: ``"local"`` starts a cluster on this machine, ``"auto"`` joins the one that is running here, and
            ``"HOST:PORT"`` another one, on whose nodes this version of tripleteval must be installed. Where Ray is
            initialised already, that cluster is used, and left as it is.
        workers: How many run at once on a cluster of our own; one per core by default.
        gpus: Share of a GPU that every order reserves, such as 0.25.
        cpus: Cores that every order reserves: for `evaluate_search`, as many as its ``threads``.

    Raises:
        BackendError: No cluster can be reached (E708), or a node does not have this version (E709).
        MissingExtra: Ray is not installed (E103).
        ParameterError: Not a number of workers or cores, or not a share (E101).
    """
    for name, count in (("workers", workers), ("cpus", cpus)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ParameterError("E101", f"{name}={count!r}", fix="give a whole number, 1 or more")
    if isinstance(gpus, bool) or not isinstance(gpus, (int, float)) or not 0 <= gpus < float("inf"):
        raise ParameterError("E101", f"gpus={gpus!r}", fix="give a number, 0 or more, such as 0.25")
    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        _join(ray, address, max(available_cores(), cpus) if workers is None else workers * cpus)
    found = RayMap(ray, float(gpus), cpus, ours=ours)
    try:
        _require_same_everywhere(ray)
        _ = found.workers
    except BaseException:
        found.close()
        raise
    return found


class RayMap:
    """A map over a cluster; made by `ray_map`."""

    def __init__(self, ray: Any, gpus: float, cpus: int, *, ours: bool) -> None:
        self._ray, self._gpus, self._cpus, self._ours = ray, gpus, cpus, ours
        self._counted, self._workers = -_LOOK_AGAIN, 1

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """Yield ``function`` of every item, in order, wherever it runs."""
        ray = self._ray
        reserved = {"num_cpus": self._cpus, "num_gpus": self._gpus or None, "scheduling_strategy": "SPREAD"}
        work = ray.remote(max_retries=RETRIES, retry_exceptions=[OSError], **reserved)(_work)
        shared = ray.put(function)
        rest, flying, landed, begun, given = enumerate(items), {}, {}, 0, 0
        while True:
            while begun - given < 2 * self.workers and (following := next(rest, None)) is not None:
                # In a list the function stays where it is; a worker takes it up once, not once per order.
                flying[work.remote([shared], following[1])] = following
                begun += 1
            if begun == given:
                return
            ready, _ = ray.wait(list(flying), timeout=1.0) if flying else ([], [])
            for reference in ready:
                place, item = flying.pop(reference)
                landed[place] = _result(ray, reference, item)
            while given in landed:
                yield landed.pop(given)
                given += 1

    @property
    def workers(self) -> int:
        """How many orders can run at once, now.

        Raises:
            BackendError: None can (E708).
        """
        if time.monotonic() >= self._counted + _LOOK_AGAIN:
            there = self._ray.cluster_resources()
            fits = int(there.get("CPU", 0) / self._cpus)
            if self._gpus:
                fits = min(fits, int(there.get("GPU", 0) / self._gpus))
            if fits < 1 and self._counted < 0:
                raise BackendError(
                    "E708",
                    f"a cluster of {there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs",
                    fix="add nodes, or reserve fewer cores or a smaller share of a GPU",
                )
            self._counted, self._workers = time.monotonic(), max(fits, 1)
        return self._workers

    def close(self) -> None:
        """Shut down the cluster, if it was started or joined here."""
        if self._ours:
            self._ours = False
            self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _work(shared: list[Any], item: Any) -> Any:
    """Run one order; in a worker."""
    from threadpoolctl import threadpool_limits

    ray = _ray()
    name = shared[0].hex()
    if name not in _held:
        _held.clear()
        threadpool_limits(1, user_api="blas")
        _held[name] = ray.get(shared[0])
    try:
        return _held[name](item)
    except (EvalError, OSError):
        raise
    except Exception as error:  # a bug, and it must say in which order
        raise _failed(item, error, str(ray.util.get_node_ip_address())) from error


def _result(ray: Any, reference: Any, item: Any) -> Any:
    """Return what an order gave, or raise what ended it."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EvalError):
            raise error.cause from error
        told = re.search(r"\bip=([^)\s]+)", str(error))
        host = told[1] if told else "unknown"
        if isinstance(error.cause, ImportError):
            raise _not_installed(host, str(error.cause)) from error
        raise _failed(item, error.cause, host) from error
    except ray.exceptions.RayError as error:
        reason = str(error).strip().partition("\n")[0]
        raise BackendError(
            "E702",
            f"the workers that had an order were lost {RETRIES + 1} times ({type(error).__name__}: {reason})",
            where=_named(item),
            fix="if they ran out of memory, give a smaller memory= (--memory); the logs of Ray on that node say more",
        ) from error


def _failed(item: Any, error: BaseException, host: str) -> BackendError:
    return BackendError(
        "E707",
        f"an order failed: {type(error).__name__}: {error}",
        where=f"{_named(item)}, on node {host}",
        fix="TRIPLETEVAL_DEBUG=1 shows where it happened; it would happen here, too",
    )


def _named(item: Any) -> str:
    if isinstance(item, Order):
        return f"order of queries {item.start}:{item.stop} and gallery rows {item.first}:{item.last}"
    return f"order {item!s:.200}"


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("a cluster", "ray", extra="ray") from error
    return ray


def _join(ray: Any, address: str, cores: int) -> None:
    ours: dict[str, Any] = {}
    if address == "local":
        ours = {"num_cpus": cores, "include_dashboard": False}
    else:
        _knock(address)
    with _signals_kept(), _started_whole(ray) if address == "local" else nullcontext():
        try:
            # "local" and not None, which would join whatever happens to run here.
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **ours)
        except (ConnectionError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            with suppress(Exception):
                ray.shutdown()
            raise _unreachable(address, str(error)) from error


def _knock(address: str) -> None:
    """Find out in seconds whether somebody listens; Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdecimal():
        raise ParameterError("E101", f"the address {address!r}", fix="give local, auto or HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, reason: str) -> BackendError:
    return BackendError(
        "E708",
        f"no Ray cluster can be reached: {reason.strip().partition(chr(10))[0].partition(' Please specify')[0]}",
        where=address,
        fix="start one with: ray start --head; or use local",
    )


def _require_same_everywhere(ray: Any) -> None:
    """Ask every node that may be given orders for what is installed there."""
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    ask = ray.remote(num_cpus=0, max_retries=1)(_installed)
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    asked = [
        (node["NodeManagerAddress"], ask.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote())
        for node in nodes
    ]
    for host, reference in asked:
        try:
            there = ray.get(reference, timeout=_ANSWER)
        except ray.exceptions.RayTaskError as error:
            raise _not_installed(host, str(error.cause)) from error
        except ray.exceptions.GetTimeoutError as error:
            raise _not_installed(host, f"no answer in {_ANSWER:g} seconds") from error
        except ray.exceptions.RayError:  # it went away meanwhile, and will be given nothing
            continue
        if there != _installed():
            raise _not_installed(host, f"it has version {there}")


def _installed() -> str:
    return version("tripleteval")


def _not_installed(host: str, reason: str) -> BackendError:
    return BackendError(
        "E709",
        f"a node without this tripleteval: {reason.strip().rpartition(chr(10))[2]}",
        where=f"node {host}",
        fix=f"on every node: pip install 'tripleteval[ray]=={_installed()}'",
    )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep what SIGTERM does; ``ray.init`` would make it end the process without unwinding."""
    if not _in_main_thread() or sys.platform == "win32":
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _started_whole(ray: Any) -> Iterator[None]:
    """Let the first Ctrl-C wait until a cluster has started, and end it: cut off, Ray leaves processes behind."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or not _in_main_thread():
        yield
        return
    asked: list[bool] = []

    def wait(*_: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        sys.stderr.write("\nthe cluster ends as soon as it has started; Ctrl-C once more leaves at once\n")

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        ray.shutdown()
        raise KeyboardInterrupt


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
