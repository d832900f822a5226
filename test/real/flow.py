"""A flow as a team has one: it takes some seconds, fails where it is told to, and serves itself."""

import time

from prefect import flow


@flow
def retrain(seconds: int = 0, fail: bool = False, reason: str = ""):
    time.sleep(seconds)
    if fail:
        raise ValueError("no data for this region")
    return reason


if __name__ == "__main__":
    retrain.serve(name="plumbline", pause_on_shutdown=False)
