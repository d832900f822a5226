"""Emits predictions and labels to Plumbline from a Python service (3.9 or newer), with no dependencies.

Made for the serving path: ``predict`` and ``label`` take a copy, return at once and never raise. Events wait in a
bounded queue and leave in batches from a thread of their own; when Plumbline is away they are tried again, with the
same ids, and when the queue is full the oldest are dropped and counted. Every prediction carries its place in this
process' sequence, and one that is dropped or cannot be written leaves a gap there, so that Plumbline itself can tell how
many were lost. A forked process starts a sequence of its own.

Values that JSON does not know become what they mean: NaN, infinities, ``pandas.NA`` and ``NaT`` are missing (null);
numpy's numbers, arrays and booleans, ``Decimal``, dates, enums, sets and UUIDs are written as JSON has them.

    from plumbline import Emitter
    plumbline = Emitter("http://127.0.0.1:8080")
    plumbline.predict({"model_id": "fraud", "model_version": "7", "score": 0.93, "features": {"amount": 12.5}})
    plumbline.close()
"""

import atexit
import base64
import collections
import datetime
import decimal
import enum
import gzip
import hashlib
import hmac
import json
import math
import os
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from typing import Any, Callable, Deque, Dict, Iterable, List, Optional, Tuple

FIRST_BACKOFF_S = 0.1
LAST_BACKOFF_S = 30.0
# Somebody waits for what is sent, so a gateway that has come back is noticed at once.
FLUSHING_BACKOFF_S = 1.0
# The longest wait that an answer can ask for.
MAX_ASKED_S = 60.0
# Values deeper than this are no event.
MAX_DEPTH = 32

Event = Dict[str, Any]


def feedback_token(key: str, model_id: str, prediction_id: str, names: Iterable[str], exp: int) -> str:
    """The token by which a browser may rate one prediction at ``POST /v1/feedback``.

    A JSON Web Token, signed with HMAC-SHA256. The key stays on the server; the page gets the token.

    :param key: the first line of PLUMBLINE_FEEDBACK_KEY_FILE; white space around it is none of it
    :param names: what may be rated, such as ``thumbs``; 20 at most
    :param exp: seconds since 1970 at which it ends
    :raises ValueError: for a key of fewer than 32 bytes, which the service does not take
    """
    own = key.strip().encode()
    if len(own) < 32:
        raise ValueError(f"the key has {len(own)} bytes: 32 are the least")

    def written(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    def part(value: Dict[str, Any]) -> str:
        return written(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    claims = {
        "model_id": model_id,
        "prediction_id": prediction_id,
        "names": list(names),
        "aud": "plumbline-feedback",
        "exp": exp,
    }
    signed = part({"alg": "HS256", "typ": "JWT"}) + "." + part(claims)
    return signed + "." + written(hmac.new(own, signed.encode(), hashlib.sha256).digest())


class Emitter:
    """A queue and the thread that empties it.

    :param url: where ingest (and feedback) answer
    :param feedback_url: where labels go, when feedback runs elsewhere
    :param key: API key
    :param max_queue_bytes: events waiting beyond this are dropped, the oldest first
    :param batch_size: most events of one request
    :param flush_interval: longest wait for company, in seconds
    :param timeout: of one request, in seconds
    :param on_error: told of drops and refusals, at most once a second
    """

    def __init__(
        self,
        url: str,
        feedback_url: Optional[str] = None,
        key: Optional[str] = None,
        max_queue_bytes: int = 16 << 20,
        batch_size: int = 500,
        flush_interval: float = 1.0,
        timeout: float = 10.0,
        on_error: Optional[Callable[[str], None]] = None,
    ) -> None:
        self._bases = {"/v1/predictions": url, "/v1/labels": feedback_url or url}
        self._key = key
        self._max_queue_bytes = max_queue_bytes
        self._batch_size = batch_size
        self._flush_interval = flush_interval
        self._timeout = timeout
        self._on_error = on_error
        self._begin()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """All state of one process; a fork begins anew, since threads and sequences stay with the parent."""
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._queues: Dict[str, Deque[bytes]] = {path: collections.deque() for path in self._bases}
        self._bytes = 0
        self._sequences: Dict[Any, int] = {}
        self._producer = str(uuid.uuid4())
        self._counts = dict.fromkeys(
            ("emitted", "accepted", "rejected", "dropped", "invalid", "retries"), 0
        )
        self._closing = False
        self._deadline = float("inf")
        self._flushing = 0
        self._in_flight = 0
        self._told_at = 0.0
        self._thread: Optional[threading.Thread] = None

    def predict(self, event: Event) -> str:
        """A prediction; ``prediction_id`` and ``predicted_at`` are given where they are missing. Returns the id."""
        name = str(uuid.uuid4())
        try:
            name = event.get("prediction_id") or name
            filled = {**event, "prediction_id": name, "predicted_at": event.get("predicted_at") or _now()}
            self._put("/v1/predictions", filled, event.get("model_id"))
        except Exception as error:  # The serving path must not notice.
            self._invalid(error)
        return name

    def label(self, event: Event) -> None:
        """A label; ``label_id``, ``labelled_at`` and ``source`` are given where they are missing."""
        try:
            filled = {"source": "user_feedback", **event}
            filled["label_id"] = event.get("label_id") or str(uuid.uuid4())
            filled["labelled_at"] = event.get("labelled_at") or _now()
            self._put("/v1/labels", filled, None)
        except Exception as error:
            self._invalid(error)

    def flush(self, timeout: float = 30.0) -> bool:
        """Waits until everything is sent, for at most ``timeout`` seconds; returns whether it is. While it waits, a
        gateway that is away is tried at least once a second."""
        end = time.monotonic() + timeout
        with self._wake:
            self._flushing += 1
            self._wake.notify_all()
            while self._waiting() > 0 and time.monotonic() < end:
                self._wake.wait(min(0.05, max(0.0, end - time.monotonic())))
            self._flushing -= 1
            return self._waiting() == 0

    def close(self, timeout: float = 30.0) -> None:
        """Sends what waits, for at most ``timeout`` seconds, and stops; the end of the process does so too. What could not
        be sent in time is counted as dropped; a request still under way counts as waiting until it ends."""
        try:
            self.flush(timeout)
            with self._wake:
                self._closing = True
                for queue in self._queues.values():
                    self._drop(queue)
                    queue.clear()
                self._wake.notify_all()
            atexit.unregister(self.close)
        except Exception:
            pass

    def stats(self) -> Dict[str, int]:
        """Counts since the start. emitted = accepted + rejected + dropped + waiting, where ``waiting`` is the queue now."""
        with self._lock:
            return {**self._counts, "waiting": self._waiting(), "waiting_bytes": self._bytes}

    def _waiting(self) -> int:
        return sum(len(queue) for queue in self._queues.values()) + self._in_flight

    def _drop(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._bytes -= len(line)
            self._counts["dropped"] += 1

    def _put(self, path: str, event: Event, model: Any) -> None:
        with self._wake:
            if self._closing:
                self._counts["dropped"] += 1
                return
            if path == "/v1/predictions":
                sequence = self._sequences.get(model, 0)
                event["producer"] = {"id": self._producer, "sequence": sequence}
                # Taken before the event is written: one that cannot be written leaves a gap, and counts as lost.
                self._sequences[model] = sequence + 1
            line = _line(event)
            self._counts["emitted"] += 1
            queue = self._queues[path]
            queue.append(line)
            self._bytes += len(line)
            while self._bytes > self._max_queue_bytes and queue:
                self._bytes -= len(queue.popleft())
                self._counts["dropped"] += 1
                self._tell("the queue is full: the oldest events are dropped")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="plumbline", daemon=True)
                self._thread.start()
            if len(queue) >= self._batch_size:
                self._wake.notify_all()

    def _run(self) -> None:
        failures = 0
        while True:
            with self._wake:
                if not self._flushing and not self._closing and failures == 0:
                    if all(len(queue) < self._batch_size for queue in self._queues.values()):
                        self._wake.wait(self._flush_interval)
                if self._closing:
                    return
                path = max(self._queues, key=lambda p: len(self._queues[p]))
                queue = self._queues[path]
                batch = [queue.popleft() for _ in range(min(self._batch_size, len(queue)))]
                self._in_flight = len(batch)
            if not batch:
                continue
            wait = self._deliver(path, batch, failures)
            with self._wake:
                self._in_flight = 0
                if wait is None:
                    failures = 0
                    self._bytes -= sum(len(line) for line in batch)
                else:
                    failures += 1
                    self._counts["retries"] += 1
                    if self._closing:
                        self._drop(batch)
                    else:
                        queue.extendleft(reversed(batch))
                self._wake.notify_all()
            if wait:
                self._pause(*wait)

    def _pause(self, asked: float, backoff: float) -> None:
        """Waits before the next try: as long as Plumbline asked for, or less while somebody flushes; not at all once
        closed."""
        begun = time.monotonic()
        with self._wake:
            while not self._closing:
                own = min(backoff, FLUSHING_BACKOFF_S) if self._flushing else backoff
                left = begun + max(asked, own) - time.monotonic()
                if left <= 0:
                    return
                self._wake.wait(left)

    def _deliver(self, path: str, batch: List[bytes], failures: int) -> Optional[Tuple[float, float]]:
        """Returns how long Plumbline asks to wait before the same batch is tried again, and how long to wait of one's own,
        in seconds; None when the batch is done with."""
        status, answer, retry_after = self._post(path, batch)
        rejected = answer.get("rejected") or []
        if status == 200 or status == 400:
            with self._lock:
                self._counts["accepted"] += answer.get("accepted", 0)
                self._counts["rejected"] += len(rejected) if status == 200 else len(batch)
            if rejected or status == 400:
                faults = [rejected[0]["message"], *rejected[0].get("also", [])] if rejected else []
                self._tell(f"refused: {'; '.join(faults) or answer.get('detail')}")
            elif answer.get("misspelled"):
                first = answer["misspelled"][0]
                self._tell(f"{first['field']} is not read; did you mean {first['meant']}?")
            return None
        if status == 413:
            if len(batch) > 1:
                self._batch_size = max(1, len(batch) // 2)
                return 0.0, 0.0
            with self._lock:
                self._counts["rejected"] += 1
            self._tell("an event is larger than Plumbline takes")
            return None
        self._tell(f"Plumbline answered {status}: {answer.get('detail')}")
        backoff = min(LAST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(failures, 20))
        return min(retry_after, MAX_ASKED_S), backoff * (0.5 + random.random() / 2)

    def _post(self, path: str, batch: List[bytes]) -> Tuple[int, Event, float]:
        headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(
            self._bases[path] + path, gzip.compress(b"\n".join(batch), 1), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                return response.status, json.loads(response.read()), 0.0
        except urllib.error.HTTPError as error:
            try:
                retry_after = float(error.headers.get("retry-after") or 0)
            except ValueError:
                retry_after = 0.0
            try:
                return error.code, json.loads(error.read()), retry_after
            except Exception:
                return error.code, {}, retry_after
        except Exception as error:
            return 0, {"detail": str(error)}, 0.0

    def _invalid(self, error: Exception) -> None:
        try:
            with self._lock:
                self._counts["invalid"] += 1
            self._tell(f"an event cannot be written as JSON: {error}")
        except Exception:
            pass

    def _tell(self, message: str) -> None:
        now = time.monotonic()
        if self._on_error is None or now - self._told_at < 1.0:
            return
        self._told_at = now
        try:
            self._on_error(message)
        except Exception:
            pass


def _line(event: Event) -> bytes:
    """The event as one line of JSON. Most events are plain, and only those that are not are copied.

    :raises ValueError: for values nested deeper than ``MAX_DEPTH``, or that contain themselves
    """
    try:
        return json.dumps(event, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError):
        return json.dumps(_plain(event, 0), allow_nan=False, separators=(",", ":")).encode()


def _plain(value: Any, depth: int) -> Any:
    """The value as JSON has it; what is missing in Python's ways is None."""
    if depth > MAX_DEPTH:
        raise ValueError(f"values are nested deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, (bool, int)):
        # An enum of integers is written as its integer.
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, (float, decimal.Decimal)):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {_name(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, enum.Enum):
        return _plain(value.value, depth + 1)
    if isinstance(value, uuid.UUID):
        return str(value)
    # pandas' NA and NaT know no order and no equality; they are told by their types' names, as pandas is not imported.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return aware.isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    # numpy's scalars and arrays, tensors and series: `tolist` gives Python's own values.
    if hasattr(value, "tolist"):
        plain = value.tolist()
        if type(plain) is type(value):
            raise TypeError(f"{type(value).__name__} is not JSON")
        return _plain(plain, depth + 1)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _name(key: Any) -> str:
    """The name of a member; numpy's numbers and enums name members too."""
    if isinstance(key, str):
        return str.__str__(key)
    plain = _plain(key, 0)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
