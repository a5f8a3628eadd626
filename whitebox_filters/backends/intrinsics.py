"""What Numba has no words for: calls by address, and arrays on the stack."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def reservation(kind: types.Type, count: int) -> Any:
    """A function that gives so many values on the stack: no pointer passed in leads there, so that loops vectorise."""

    @intrinsic  # type: ignore[untyped-decorator]
    def reserve(typing: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            with builder.goto_entry_block():
                return builder.alloca(context.get_value_type(kind), size=count)

        return types.CPointer(kind)(), generate

    return reserve


@intrinsic  # type: ignore[untyped-decorator]
def call_stage(typing: Any, address: Any, block: Any, coefficients: Any, offset: Any) -> Any:  # noqa: ARG001
    """Call what `filter_block` exported, by its address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        where, planes, values, first = arguments
        kind = ir.FunctionType(ir.VoidType(), [planes.type, values.type])
        builder.call(builder.inttoptr(where, kind.as_pointer()), [planes, builder.gep(values, [first])])
        return context.get_dummy_value()

    return types.void(address, block, coefficients, offset), generate
