"""Selects the binding of the C core for this process.

``_cpython`` on CPython and ``_cffi`` on PyPy, unless the environment variable
``AUTOBAHN_FBS_BACKEND`` is ``cpython`` or ``cffi``. Both define the names in ``_cpython.pyi``. If
the requested binding is missing or unknown, the first use of ``native`` raises ImportError: there
is no fallback.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _cpython as native

VARIABLE = "AUTOBAHN_FBS_BACKEND"
KNOWN = ("cpython", "cffi")


_DEFAULT = "cpython" if sys.implementation.name == "cpython" else "cffi"

#: "cpython" or "cffi"; or another text from the environment, for which no binding can be loaded.
NAME = os.environ.get(VARIABLE, _DEFAULT)


# Both use import statements, not import_module(), so that PyInstaller, cx_Freeze and Nuitka find
# them.
def _binding() -> Any:
    """Imports the chosen binding."""
    if NAME == "cpython":
        import autobahn_fbs._cpython

        return autobahn_fbs._cpython
    if NAME == "cffi":
        import autobahn_fbs._cffi

        return autobahn_fbs._cffi
    raise ImportError(f"{VARIABLE} is {NAME!r}; it must be one of {', '.join(KNOWN)}, or unset")


def helpers() -> Any:
    """The module with the functions that the extension leaves to Python. The extension calls
    this."""
    import autobahn_fbs._helpers

    return autobahn_fbs._helpers


def typed_helpers() -> Any:
    """The same for typed payloads."""
    import autobahn_fbs.typed._classes

    return autobahn_fbs.typed._classes


def _not_built(error: Exception) -> ImportError:
    """The error for a binding that was not built. Its text says what to do."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if NAME == "cpython" != _DEFAULT:
        return ImportError(
            f"the {NAME} backend of autobahn_fbs doesn't exist on this Python: use cffi"
        )
    variable = "AUTOBAHN_FBS_BUILD_CFFI=1" if NAME != _DEFAULT else ""
    if os.path.exists(os.path.join(folder, "setup.py")):
        install = f"{sys.executable} -m pip install -e {folder}"
        remedy = (
            f"{folder} has the sources. If the package is also installed, start Python in another"
            f" folder to use it; otherwise, build it with: {f'{variable} {install}'.strip()}"
        )
    else:
        remedy = f"install it again from its sources, for {sys.executable}"
        remedy += f", with {variable} in the environment" if variable else ""
    return ImportError(
        f"the {NAME} backend of autobahn_fbs was not built for this Python ({error}): {remedy}"
    )


def __getattr__(name: str) -> Any:
    """Loads the binding, and with it Autobahn's messages, when it is first needed (PEP 562)."""
    if name != "native":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = _binding()
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("autobahn_fbs."):
            raise
        raise _not_built(error) from error
    except (AttributeError, TypeError) as error:  # classes and slots, as the binding describes them
        from ._compatible import refuse

        raise refuse([error]) from error
    from ._compatible import check_messages

    check_messages(module.RECEIVED)
    globals()["native"] = module
    return module


__all__ = ["NAME", "native"]
