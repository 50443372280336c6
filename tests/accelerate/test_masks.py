"""The part ``masks``: the masker in C gives the same results as Autobahn's."""

from __future__ import annotations

import os

import pytest

import autobahn_fbs

if autobahn_fbs.backend != "cpython":
    pytest.skip("only the cpython backend has the masker", allow_module_level=True)

from autobahn.nvx._xormasker import create_xor_masker
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs._backend import native


@given(st.binary(min_size=4, max_size=4), st.lists(st.binary(max_size=300), max_size=5))
def test_pieces_of_a_frame_are_masked_as_by_autobahn(mask, pieces):
    ours, theirs = native.Masker(mask, 7), create_xor_masker(mask, 7)
    for piece in pieces:
        assert ours.process(piece) == theirs.process(piece)
        assert ours.pointer() == theirs.pointer()
    ours.reset()
    theirs.reset()
    assert ours.pointer() == theirs.pointer() == 0
    assert ours.process(b"again") == theirs.process(b"again")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_buffer_is_masked(kind):
    data = os.urandom(1000)
    expected = create_xor_masker(b"mask", 1000).process(data)
    assert native.Masker(b"mask").process(kind(data)) == expected


@pytest.mark.parametrize("mask", [b"", b"abc", b"abcde"])
def test_a_mask_of_another_size_is_refused_as_by_autobahn(mask):
    with pytest.raises(AssertionError, match="exactly 4 bytes"):
        native.Masker(mask, 1)
    with pytest.raises(AssertionError, match="exactly 4 bytes"):
        create_xor_masker(mask, 1)


def test_text_is_refused():
    with pytest.raises(TypeError):
        native.Masker(b"mask").process("text")
