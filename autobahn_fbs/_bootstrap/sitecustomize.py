"""Installs the drop-in in a Python process that ``python -m autobahn_fbs run`` started.

Python imports the first ``sitecustomize`` on its path before it runs a program. This one only
installs a hook: when the program imports ``autobahn.wamp.serializer``, the drop-in is installed
immediately afterwards, before any code can take a class from that module. A program that never
imports it has no cost. Then this module runs the ``sitecustomize`` that it hides.

A program never runs without the drop-in: if the drop-in can't be installed, the process ends with a
message and exit status 70. An ``except ImportError`` can't hide the reason. If the program starts
another Python that won't have the drop-in, a message says so.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

# Every process that the program starts pays for the imports here, so typing isn't imported, and
# importlib.util only when it is needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any, NoReturn

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)

# The exit status of a process that was stopped because the drop-in isn't available (EX_SOFTWARE of
# sysexits.h). _run.py uses the same.
NO_DROP_IN = 70


def die(reason: object) -> NoReturn:
    """Ends this process immediately, with a message on stderr."""
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib would be one more import
            stream.flush()
        except Exception:  # closed or broken: the message still has to be written
            pass
    text = f"autobahn_fbs: {reason}; stopping, because the program must run with the drop-in\n"
    os.write(2, text.encode(errors="backslashreplace"))
    os._exit(NO_DROP_IN)


class _Loader:
    """A module's own loader. It also tells `hooks` when the module starts to run and when it has
    run."""

    def __init__(self, loader: Any, hooks: AfterImport, after: list[Callable[[], None]]) -> None:
        self._loader = loader
        self._hooks = hooks
        self._after = after

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # From now on, the module looks as if it had been found without us.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._hooks.running.append(module.__name__)
        try:
            self._loader.exec_module(module)
        finally:
            self._hooks.running.remove(module.__name__)
        self._hooks.finished.add(module.__name__)
        package, _, name = module.__name__.rpartition(".")
        if package in sys.modules:  # the import system sets this only afterwards
            setattr(sys.modules[package], name, module)
        for after in self._after:
            after()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class AfterImport:
    """A meta path finder that calls functions after certain modules have been imported."""

    def __init__(self) -> None:
        #: Those modules that are currently being imported.
        self.running: list[str] = []
        #: Those modules that have been imported completely.
        self.finished: set[str] = set()
        self._functions: dict[str, list[Callable[[], None]]] = {}
        self._asking: set[str] = set()

    def call(self, name: str, after: Callable[[], None]) -> None:
        """Calls `after` when module `name` has been imported, or immediately if it already is."""
        if name in sys.modules:
            after()
        else:
            self.after(name, after)

    def after(self, name: str, after: Callable[[], None]) -> None:
        """Calls `after` when module `name` has been imported. It hasn't been imported yet.

        A name that ends with ``.*`` means every module in that package.
        """
        self._functions.setdefault(name, []).append(after)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, dot, _ = name.partition(".")
        after = [*self._functions.get(name, ()), *self._functions.get(f"{package}{dot}*", ())]
        if not after or name in self._asking:
            return None
        self._asking.add(name)  # other finders like this one also ask all finders
        try:
            for finder in sys.meta_path:
                if finder is self or not hasattr(finder, "find_spec"):
                    continue
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = _Loader(spec.loader, self, after)  # type: ignore[assignment]
                    return spec
            return None
        finally:
            self._asking.discard(name)


class Installer:
    """Installs the drop-in once, as soon as Autobahn's serializers have been imported."""

    #: The modules whose factories have default lists of serializers.
    FACTORIES = (
        "autobahn.wamp.websocket",
        "autobahn.twisted.rawsocket",
        "autobahn.asyncio.rawsocket",
    )

    def __init__(self, hooks: AfterImport) -> None:
        self._hooks = hooks
        self._done = False
        hooks.call("autobahn.wamp.serializer", self.install)
        hooks.after("autobahn_fbs.*", self.install)
        hooks.after("autobahn.*", self.change_factories)
        self._prefer = os.path.join(HERE, "prefer") in sys.path
        if self._prefer or os.environ.get("AUTOBAHN_FBS_PREFER") == "1":
            for name in self.FACTORIES:
                hooks.call(name, self.import_serializers)

    def install(self) -> None:
        """Installs the drop-in if it is time to; ends the process if that fails.

        If the program takes a class from the drop-in, or calls ``install()`` itself, the drop-in's
        own modules may be importing Autobahn's serializers. Then it is time only when they have
        been imported.
        """
        serializer = sys.modules.get("autobahn.wamp.serializer")
        ours = any(name.startswith("autobahn_fbs.") for name in self._hooks.running)
        if self._done or ours or serializer is None:
            return
        self._done = True  # set now, because loading the package calls this again
        try:
            install = load_package().install
            from autobahn_fbs._startup_log import INSTALL, say_in_crossbar

            say_in_crossbar(INSTALL, self._hooks.after)
            install(prefer=True) if self._prefer else install()
        except Exception as error:
            die(f"can't be installed: {type(error).__name__}: {error}{imported_instead()}")

    def import_serializers(self) -> None:
        """Installs the drop-in before a factory makes its default list. Otherwise, some programs
        import the serializers only at that moment."""
        import autobahn.wamp.serializer  # noqa: F401

    def change_factories(self) -> None:
        """Tells the drop-in that one of Autobahn's modules has been imported completely. The
        drop-in may have been installed during that import."""
        factories = sys.modules.get("autobahn_fbs._factories")
        if self._done and factories is not None:
            factories.apply_waiting()


def load_package() -> ModuleType:
    """``autobahn_fbs`` from this interpreter, or else the copy that this file belongs to."""
    try:
        import autobahn_fbs

        return autobahn_fbs
    except ModuleNotFoundError as error:
        if error.name != "autobahn_fbs":
            raise
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(
        "autobahn_fbs",
        os.path.join(PACKAGE, "__init__.py"),
        submodule_search_locations=[PACKAGE],
    )
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["autobahn_fbs"] = module
    spec.loader.exec_module(module)
    return module


def imported_instead() -> str:
    """A note about a file that is imported in place of this package, such as an ``autobahn_fbs.py``
    beside the program; "" if there is none."""
    file = getattr(sys.modules.get("autobahn_fbs"), "__file__", None)
    own = os.path.realpath(os.path.join(PACKAGE, "__init__.py"))
    return f" ({file} was imported)" if file and os.path.realpath(file) != own else ""


class Accelerator:
    """A meta path finder that finds nothing. It switches acceleration on before the first module of
    a relevant package is imported, so that acceleration sees all modules."""

    PACKAGES = ("autobahn", "crossbar", "twisted", "txaio")

    def __init__(self, hooks: AfterImport, parts: list[str] | None) -> None:
        self._hooks = hooks
        self._parts = parts
        self._done = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in self.PACKAGES and not self._done:
            self._done = True
            try:
                load_package()
                from autobahn_fbs._accelerate import accelerate
                from autobahn_fbs._startup_log import ACCELERATE, say

                say(ACCELERATE, self._hooks.after)
                accelerate(self._parts)
            except Exception as error:
                die(f"can't accelerate: {type(error).__name__}: {error}{imported_instead()}")
        return None


def chosen_parts() -> tuple[bool, list[str] | None]:
    """Whether to accelerate, and the parts to switch on; None for all."""
    for entry in sys.path:
        folder, name = os.path.split(entry)
        switch, _, parts = name.partition("=")
        if folder == HERE and switch == "accelerate":
            return True, parts.split(",") if parts else None
    return False, None


class Watch:
    """Warns when this process starts a Python that won't have the drop-in.

    It wraps the functions that start processes, so it costs nothing otherwise. An audit hook, which
    is called for every event, took up to a tenth of a router's time.
    """

    #: Functions of `os`, with the positions of program, arguments and environment. Functions that
    #: search PATH, or take their arguments in another way, call these.
    FUNCTIONS = {  # noqa: RUF012
        "execv": (0, 1, None),
        "execve": (0, 1, 2),
        "posix_spawn": (0, 1, 2),
        "posix_spawnp": (0, 1, 2),
        "spawnv": (1, 2, None),
        "spawnve": (1, 2, 3),
    }

    #: The same for subprocess.Popen._execute_child, whose first argument is the Popen, and the
    #: position of `shell`. A shell isn't a Python.
    POPEN = (2, 1, 7)
    SHELL = 10

    def __init__(self, hooks: AfterImport) -> None:
        self._said: set[str] = set()
        for name, places in self.FUNCTIONS.items():
            if hasattr(os, name):
                self._wrap(os, name, places)
        hooks.call("subprocess", self._wrap_popen)

    def _wrap_popen(self) -> None:
        self._wrap(sys.modules["subprocess"].Popen, "_execute_child", self.POPEN, self.SHELL)

    def _wrap(
        self, owner: Any, name: str, places: tuple[int, int, int | None], shell: int | None = None
    ) -> None:
        """Makes a function check the command first; see `FUNCTIONS` for `places`."""
        function = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                program, words = args[places[0]], args[places[1]]
                env = None if places[2] is None else args[places[2]]
                once = hasattr(words, "__next__")  # an iterator would be empty after the check
                if not once and (shell is None or not args[shell]):
                    self._look(program, words, env)
            except Exception:  # an error of the program, which it gets from the call below
                pass
            return function(*args, **kwargs)

        for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(watched, attribute, getattr(function, attribute))
        watched.__wrapped__ = function  # type: ignore[attr-defined]
        setattr(owner, name, watched)
        for capable in (os.supports_fd, os.supports_follow_symlinks):
            if function in capable:
                capable.add(watched)

    def _look(self, program: Any, words: Any, env: Any) -> None:
        load_package()
        from autobahn_fbs._child_processes import why_without

        reason = why_without(program, words, env)
        if reason is not None:
            name = os.fsdecode(program or words[0])
            text = f"autobahn_fbs: warning: {name} runs without the drop-in: {reason}\n"
            if text not in self._said:
                self._said.add(text)
                os.write(2, text.encode(errors="backslashreplace"))


def allow_rawsocket() -> None:
    """Makes Crossbar.io's configuration check accept ``flatbuffers`` for RawSocket listeners.

    The router's RawSocket transport supports the serializer; only the list in the check lacks it.
    """
    checkconfig = sys.modules["crossbar.common.checkconfig"]
    try:
        check = checkconfig.check_listening_transport_rawsocket
    except AttributeError:
        die("can't allow flatbuffers on RawSocket: this Crossbar.io checks it in another way")

    def check_the_rest(personality: Any, transport: Any, *args: Any, **kwargs: Any) -> Any:
        serializers = transport.get("serializers")
        if isinstance(serializers, (list, tuple)) and "flatbuffers" in serializers:
            rest = [name for name in serializers if name != "flatbuffers"]
            transport = {**transport, "serializers": rest}
        return check(personality, transport, *args, **kwargs)

    checkconfig.check_listening_transport_rawsocket = check_the_rest  # type: ignore[attr-defined]


def hand_over() -> None:
    """Runs the ``sitecustomize`` that this one hides, under its own name, as Python would."""
    others = [path for path in sys.path if os.path.abspath(path or os.curdir) != HERE]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def main() -> None:
    try:
        hooks = AfterImport()
        sys.meta_path.insert(0, hooks)
        Installer(hooks)
        Watch(hooks)
        if os.path.join(HERE, "allow-rawsocket") in sys.path:
            hooks.call("crossbar.common.checkconfig", allow_rawsocket)
        wanted, parts = chosen_parts()
        if wanted:
            sys.meta_path.insert(0, Accelerator(hooks, parts))
    except Exception as error:
        die(f"can't be prepared: {type(error).__name__}: {error}")
    hand_over()


if __name__ == "sitecustomize":
    main()
