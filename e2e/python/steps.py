"""Runs one step of a script by name, or names them all."""

import sys
from typing import Callable

_STEPS: dict[str, Callable[[], None]] = {}


def step(function: Callable[[], None]) -> Callable[[], None]:
    """Marks a function as a step; its name is the step's."""
    _STEPS[function.__name__] = function
    return function


def main() -> None:
    wanted = sys.argv[1]
    if wanted == "--list":
        print("\n".join(_STEPS))
    else:
        _STEPS[wanted]()
