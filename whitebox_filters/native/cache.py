"""The cache of machine code: Numba compiles a function once, and later processes load it through llvmlite.

Numba takes half a second to import and seconds to compile; loading an object file from the user's cache folder takes
milliseconds. The key of an entry covers everything that its code depends on, so stale code is never run.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from whitebox_filters.native.signature import Source

CACHE_VARIABLE = "WHITEBOX_FILTERS_CACHE"
"""The environment variable that names another folder for the cache; empty for none."""

PACKAGE, LEFT_OUT = Path(__file__).parents[1], ("filters", "testing")
"""Keys cover every module of the package outside these folders; a filter is covered by its formula's fingerprint."""

_lock = threading.Lock()
_loaded: dict[str, int] = {}  # addresses by key
PART = ".part"
OLD = 3600.0
"""Seconds after which nobody writes a temporary file any more."""

_DIGEST = hashlib.sha256().digest_size


class Engine:
    """LLVM's execution engine, which holds the machine code of this process."""

    def __init__(self) -> None:
        """For the processor that this runs on."""
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        self._machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=self.processor[0], features=self.processor[1], opt=3, jit=True, codemodel="jitdefault"
        )
        self._execution = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine)

    def assemble(self, text: str, function: str, symbol: str) -> bytes:
        """Compile LLVM's intermediate language to an object file that exports only `function`, as `symbol`."""
        module = llvm.parse_assembly(text)
        for each in [*module.functions, *module.global_variables]:
            if each.name == function:
                each.name = symbol
            elif not each.is_declaration:
                each.linkage = "internal"
                if each.is_function:
                    each.add_function_attribute("alwaysinline")  # a loop with a call in it is not vectorised
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        passes = llvm.create_pass_builder(self._machine, options)
        passes.getModulePassManager().run(module, passes)
        module.verify()
        code: bytes = self._machine.emit_object(module)
        return code

    def load(self, code: bytes, symbol: str) -> int:
        """The address of a function of an object file."""
        self._execution.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._execution.finalize_object()
        return int(self._execution.get_function_address(symbol))


@functools.cache
def engine() -> Engine:
    """The engine of this process."""
    return Engine()


def address(dependencies: bytes, compile_it: Callable[[], tuple[str, str]]) -> int:
    """The address of a function, from the cache or compiled now; threads may call this at the same time.

    `dependencies` covers everything that the function depends on. `compile_it` returns LLVM's intermediate language and
    the function's name in it. Without a writable folder nothing is cached; a damaged entry is compiled again.
    """
    with _lock:  # LLVM's engine takes one at a time
        key = hashlib.sha256(repr((dependencies, engine().processor, _versions())).encode()).hexdigest()
        if key in _loaded:
            return _loaded[key]
        symbol = f"whitebox_filters_{key}"
        folder = cache_folder()
        path = None if folder is None else folder / f"{key}.o"
        code = None if path is None else _read(path, key)
        if code is None:
            code = engine().assemble(*compile_it(), symbol)
            if path is not None:
                _write(path, key, code)
        _loaded[key] = engine().load(code, symbol)
        return _loaded[key]


def find(source: Source, declared: str, compile_it: Callable[[], tuple[str, str]]) -> int:
    """The address of a kernel's function, which `compile_it` compiles if the cache does not have it.

    It depends on the modules of this package outside LEFT_OUT, on those of the source's folders, on the functions in
    the source's variant, by their fingerprints, and on what the kernel declares.
    """
    variant = [
        fingerprint(each) if callable(each) and not isinstance(each, np.dtype) else str(each) for each in source.variant
    ]
    folders = b"".join(digest_sources(*each) for each in ((PACKAGE, LEFT_OUT), *source.folders))
    return address(repr((source.module, source.name, variant, declared)).encode() + folders, compile_it)


def cache_folder() -> Path | None:
    """The folder of compiled code: $WHITEBOX_FILTERS_CACHE, or one in the user's cache folder; None for no cache."""
    value = os.environ.get(CACHE_VARIABLE)
    if value is not None:
        return Path(value) if value else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = _in_home("Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or _in_home(".cache")
    return Path(base) / "whitebox_filters" if base else None


def _in_home(name: str) -> str | None:
    """A folder of the user's; None for a user without a home, as in a container."""
    try:
        return str(Path.home() / name)
    except RuntimeError:
        return None


@functools.cache
def digest_sources(folder: Path, leave_out: tuple[str, ...] = ()) -> bytes:
    """A digest of all modules in a folder and its subfolders, except the subfolders in `leave_out`.

    Compiled code contains constants and functions of other modules, and a list of those would go out of date.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder)
        if place.parts[0] not in leave_out:
            digest.update(place.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def fingerprint(function: Callable[..., Any]) -> bytes:
    """A digest of a plain function's code and of the constants and functions that it refers to, wherever they are."""
    return hashlib.sha256(repr(_contents(function, ())).encode()).digest()


def _contents(value: Any, callers: tuple[Any, ...]) -> Any:
    """A description of `value` whose `repr` changes exactly when the value does; `callers` stops recursion."""
    if isinstance(value, CodeType):
        constants = [_contents(constant, callers) for constant in value.co_consts]
        return value.co_code.hex(), value.co_names, value.co_varnames, value.co_freevars, constants
    if not isinstance(value, FunctionType):
        return type(value).__name__, repr(value)
    if value in callers:
        return "itself"
    callers = (*callers, value)
    named = {name: value.__globals__[name] for name in _names(value.__code__) if name in value.__globals__}
    closed = [cell.cell_contents for cell in value.__closure__ or ()]
    used = [(name, _contents(part, callers)) for name, part in sorted(named.items())]
    code, cells = _contents(value.__code__, callers), [_contents(part, callers) for part in closed]
    return code, used, cells, repr(value.__defaults__)


def _names(code: CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)


@functools.cache
def _versions() -> tuple[str, ...]:
    compilers = [importlib.metadata.version(package) for package in ("numba", "llvmlite")]
    return sys.version, str(ctypes.sizeof(ctypes.c_void_p)), *compilers


def _read(path: Path, key: str) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    # Of the name too: an entry that was copied to another's name is not that one's code.
    return code if code and hashlib.sha256(key.encode() + code).digest() == digest else None


def _write(path: Path, key: str, code: bytes) -> None:
    """Write a temporary file and rename it, since other processes may read or write the same entry."""
    part = path.with_name(f"{uuid.uuid4().hex}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path.parent)
        part.write_bytes(hashlib.sha256(key.encode() + code).digest() + code)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _remove_left(folder: Path) -> None:
    """Remove the temporary files of processes that were killed. One that still writes would compile once more."""
    for path in folder.glob(f"*{PART}"):
        with suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) > OLD:
                path.unlink()
