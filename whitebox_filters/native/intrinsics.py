"""What Numba itself cannot express: calls by address, arrays on the stack, and memory that threads share."""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORD = ir.IntType(64)


def stack_array(kind: types.Type, count: int) -> Any:
    """A function that returns an array on the stack. No pointer argument can lead there, so loops over it vectorise."""

    @intrinsic  # type: ignore[untyped-decorator]
    def reserve(typing: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            with builder.goto_entry_block():
                return builder.alloca(context.get_value_type(kind), size=count)

        return types.CPointer(kind)(), generate

    return reserve


@intrinsic  # type: ignore[untyped-decorator]
def call_stage(typing: Any, address: Any, block: Any, coefficients: Any, offset: Any) -> Any:  # noqa: ARG001
    """Call an exported function (block, coefficients) by its address, with the coefficients from `offset` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        where, planes, values, first = arguments
        kind = ir.FunctionType(ir.VoidType(), [planes.type, values.type])
        builder.call(builder.inttoptr(where, kind.as_pointer()), [planes, builder.gep(values, [first])])
        return context.get_dummy_value()

    return types.void(address, block, coefficients, offset), generate


def unpack(*kinds: types.Type) -> Any:
    """A function that unpacks values of these types from words: pointers, integers, and the bits of float64."""

    @intrinsic  # type: ignore[untyped-decorator]
    def unpack_row(typing: Any, row: Any) -> Any:  # noqa: ARG001
        result = types.BaseTuple.from_types(kinds)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            values = []
            for index, kind in enumerate(kinds):
                word = builder.load(builder.gep(arguments[0], [WORD(index)]))
                if isinstance(kind, types.CPointer):
                    word = builder.inttoptr(word, context.get_value_type(kind))
                elif isinstance(kind, types.Float):
                    word = context.cast(builder, builder.bitcast(word, ir.DoubleType()), types.float64, kind)
                values.append(word)
            return context.make_tuple(builder, signature.return_type, values)

        return result(row), generate

    return unpack_row


@intrinsic  # type: ignore[untyped-decorator]
def words_at(typing: Any, address: Any) -> Any:  # noqa: ARG001
    """A pointer to the int64 at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.inttoptr(arguments[0], WORD.as_pointer())

    return types.CPointer(types.int64)(address), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_rows(typing: Any, address: Any, row: Any, top: Any, bottom: Any, part: Any) -> Any:  # noqa: ARG001
    """Call a function that `exports.export_rows` exported by its address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        where, *values = arguments
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(builder.inttoptr(where, kind.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(address, row, top, bottom, part), generate


@intrinsic  # type: ignore[untyped-decorator]
def add_shared(typing: Any, words: Any, index: Any, amount: Any) -> Any:  # noqa: ARG001
    """Add to words[index] atomically, and return the value from before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        place, first, value = arguments
        return builder.atomic_rmw("add", builder.gep(place, [first]), value, "seq_cst")

    return types.int64(words, index, amount), generate


@intrinsic  # type: ignore[untyped-decorator]
def read_shared(typing: Any, words: Any, index: Any) -> Any:  # noqa: ARG001
    """Read words[index] atomically; what its writer wrote before it can be read from then on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        place, first = arguments
        return builder.load_atomic(builder.gep(place, [first]), "seq_cst", WORD.width // 8)

    return types.int64(words, index), generate


@intrinsic  # type: ignore[untyped-decorator]
def write_shared(typing: Any, words: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write words[index] atomically; a thread that reads it can read everything that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        place, first, word = arguments
        builder.store_atomic(word, builder.gep(place, [first]), "seq_cst", WORD.width // 8)
        return context.get_dummy_value()

    return types.void(words, index, value), generate


@intrinsic  # type: ignore[untyped-decorator]
def pause(typing: Any) -> Any:  # noqa: ARG001
    """Leave the core to its other hardware thread for a moment, on processors that have an instruction for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        if platform.machine().lower() in ("x86_64", "amd64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate
