"""All handlers, one module per family of man pages. Importing this package makes them known to `syscalls.spec`.

A module is imported when one of its calls is first looked up: `homes.py` says which module declares which call. It is
generated (`python -m syscalls.linux.generate`); a call that is missing there is found all the same, only slower.
"""

from importlib import import_module
from pkgutil import iter_modules

from syscalls.linux.homes import HOMES
from syscalls.spec import provide

#: Not handlers.
_HELPERS = {"generate", "homes", "types"}


def modules() -> list[str]:
    """Names of all modules of handlers."""
    return sorted(module.name for module in iter_modules(__path__) if module.name not in _HELPERS)


def load(name: str | None) -> None:
    """Import the modules that declare a call, or all of them."""
    homes = HOMES.get(name) if name is not None else None
    for module in homes.split() if homes is not None else modules():
        import_module(f"{__name__}.{module}")


provide(load)
