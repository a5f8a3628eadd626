"""Kernels are declared once: calls that do not fit the declaration raise, and so do loops that do not."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import whitebox_filters as wf
from harmonizer import kernels as harmonizer_kernels
from whitebox_filters.backends.cpu import kernels as cpu_kernels
from whitebox_filters.native import queue
from whitebox_filters.native.exports import ROWS, export
from whitebox_filters.native.kernel import Function, Kernel, RowKernel
from whitebox_filters.native.signature import INDEX, Array, Memory, Real, Rows, Source
from whitebox_filters.native.workers import Workers

HERE = ((Path(__file__).parent, ()),)
BYTE, SINGLE, DOUBLE = np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64)


def brighten():
    """out = picture + amount, for pixels of a row; as long as the mask, if there is one, is not looked at."""

    def brighten_rows(picture, picture_stride, mask, mask_stride, width, amount, out, top, bottom, part):
        for y in range(top, bottom):
            for x in range(3 * width):
                out[3 * y * width + x] = picture[y * picture_stride + x] + amount

    return brighten_rows


def add():
    def add_numbers(values, count, amount):
        for i in range(count):
            values[i] += amount

    return add_numbers


BRIGHTEN = RowKernel(
    Source(__name__, "brighten", folders=HERE),
    {
        "picture": Rows(SINGLE),
        "mask": Rows(None),
        "width": INDEX,
        "amount": Real(SINGLE),
        "out": Array(SINGLE, 6),
    },
)
ADD = Function(Source(__name__, "add", folders=HERE), {"values": Array(DOUBLE), "count": INDEX, "amount": Real(DOUBLE)})


def arguments(**changed):
    picture = np.arange(24, dtype=np.float32).reshape(2, 4, 3)[:, 1:3]
    return {"picture": picture, "mask": None, "width": 2, "amount": 0.5, "out": np.zeros((2, 2, 3), SINGLE)} | changed


def without(name):
    return {key: value for key, value in arguments().items() if key != name}


def test_it_gets_its_arguments_by_name_and_rows_by_their_stride():
    given = dict(reversed(arguments().items()))
    with Workers(1) as workers:
        workers.run(BRIGHTEN, [0, 1, 2], **given)
    np.testing.assert_array_equal(given["out"], given["picture"] + np.float32(0.5))


def test_a_function_is_called_from_python():
    values = np.arange(5.0)
    ADD(count=np.int32(4), values=values, amount=2)
    assert values.tolist() == [2, 3, 4, 5, 4]


def test_rows_may_run_upwards_and_may_belong_to_no_array():
    for picture in (
        arguments()["picture"][::-1],
        Memory(arguments()["picture"].ctypes.data, 12),
    ):
        given = arguments(picture=picture)
        with Workers(1) as workers:
            workers.run(BRIGHTEN, [0, 2], **given)
        assert given["out"].ravel()[0] in (3.5, 15.5)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (arguments(photo=arguments()["picture"]), TypeError, r"is called with \(picture, mask,.*photo\)"),
        (without("mask"), TypeError, r"RowKernel brighten\(picture, mask, .*is called with \(picture, width"),
        (arguments(picture=np.zeros((2, 2, 3))), TypeError, "'picture' of .* is an array of float32; got float64"),
        (arguments(picture=None), TypeError, "array of float32; got NoneType"),
        (arguments(picture=[[1.0]]), TypeError, "array of float32; got list"),
        (arguments(picture=12), TypeError, "array of float32; got int"),
        (arguments(out=np.zeros(6, ">f4")), TypeError, "'out' of .* is an array of float32; got >f4"),
        (
            arguments(picture=np.zeros((2, 2, 6), SINGLE)[..., ::2]),
            ValueError,
            r"rows in C order; got shape \(2, 2, 3\)",
        ),
        (arguments(picture=np.zeros((2, 3, 2), SINGLE).transpose(0, 2, 1)), ValueError, "rows in C order"),
        (arguments(picture=np.zeros(12, SINGLE)), ValueError, "rows in C order"),
        (arguments(out=np.zeros((2, 6, 3), SINGLE)[:, ::3]), ValueError, "'out' of .* at least 6 values in C order"),
        (arguments(out=np.zeros(5, SINGLE)), ValueError, r"at least 6 values in C order; got shape \(5,\)"),
        (arguments(out=Memory(0, 0)), TypeError, "'out' of .* is an array of float32; got Memory"),
        (arguments(mask=np.zeros((2, 2))), TypeError, "'mask' of .* is not read and must be None; got ndarray"),
        (arguments(width=2.0), TypeError, "'width' of .* is an integer; got float"),
        (arguments(amount="much"), TypeError, "'amount' of .* is a number; got str"),
    ],
)
def test_a_call_that_does_not_fit_raises(given, error, message):
    with Workers(1) as workers, pytest.raises(error, match=message):
        workers.run(BRIGHTEN, [0, 2], **given)
    assert not np.any(given["out"])


@given(st.integers(0, 4), st.integers(0, 3), st.integers(1, 2), st.integers(1, 2))
def test_any_view_is_taken_with_its_address_or_refused(top, left, down, across):
    view = np.zeros((9, 8, 3), SINGLE)[top::down, left::across]
    if across == 1 or view.shape[1] < 2:
        expected = [view.ctypes.data, view.strides[0] // 4]
        assert BRIGHTEN.pack(arguments(picture=view))[:2] == expected
    else:
        with pytest.raises(ValueError, match="rows in C order"):
            BRIGHTEN.pack(arguments(picture=view))


def test_a_loop_with_other_parameters_is_not_compiled():
    swapped = Function(ADD.source, {"count": INDEX, "values": Array(DOUBLE), "amount": Real(DOUBLE)})
    with pytest.raises(
        TypeError, match=r"takes \(values, count, amount\); its kernel declares \(count, values, amount"
    ):
        swapped.compile()
    with pytest.raises(TypeError, match="its kernel declares"):
        export(brighten(), BRIGHTEN.arguments)


def declared():
    """One of each kernel of both packages."""
    single, kinds = wf.get("shadow").pixel, (BYTE, SINGLE)
    chosen = {
        "filter_block": [(single, SINGLE)],
        "look_up": [(1020,)],
        "render": [(*kinds, None), (*kinds, BYTE)],
        "sum_channels": [(*kinds, None), (*kinds, SINGLE)],
        "prepass": [(None,), (BYTE,)],
        "shrink_rows": [(BYTE,), (SINGLE,)],
    }
    options = {"render": {"from_lines": True, "to_table": True}, "prepass": {"summed": True}}
    for module in (cpu_kernels, harmonizer_kernels, queue):
        for name, value in vars(module).items():
            if isinstance(value, Kernel):
                yield value
            elif hasattr(value, "cache_info") and value.__module__ == module.__name__:
                yield from (value(*variant, **options.get(name, {})) for variant in chosen.get(name, [()]))


@pytest.mark.parametrize("kernel", list(declared()), ids=lambda kernel: kernel.source.name)
def test_every_loop_has_the_parameters_that_its_kernel_declares(kernel):
    parameters = list(inspect.signature(kernel.make_loop()).parameters)
    if isinstance(kernel, RowKernel):
        assert tuple(parameters[-3:]) == ROWS
        del parameters[-3:]
    for name, kind in kernel.arguments.items():
        for expected in [name, f"{name}_stride"] if isinstance(kind, Rows) else [name]:
            assert parameters.pop(0) == expected
    assert not parameters


def test_that_is_of_all_kernels():
    assert len({kernel.source.name for kernel in declared()}) == 10 + 4 + 4
