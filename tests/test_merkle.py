"""The tree behind the ledger, against the test vectors of Certificate Transparency and a naive RFC 6962."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.store import merkle

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
"""Inputs of the reference tests of github.com/google/certificate-transparency (merkle_tree_test.cc)."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def grown(leaves: list[bytes]) -> merkle.Peaks:
    peaks: merkle.Peaks = ()
    for size, data in enumerate(leaves):
        peaks = merkle.append(peaks, size, merkle.leaf(data))
    return peaks


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    leaves = [bytes.fromhex(data) for data in LEAVES[:size]]
    assert naive(leaves).hex() == ROOTS[size]
    assert merkle.root(grown(leaves)) == ROOTS[size]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_any_tree_has_the_root_of_the_naive_tree(leaves: list[bytes]) -> None:
    assert merkle.root(grown(leaves)) == naive(leaves).hex()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_there_are_as_many_peaks_as_ones_in_the_size(leaves: list[bytes]) -> None:
    assert len(grown(leaves)) == len(leaves).bit_count()


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=20, unique=True), st.data())
def test_another_order_or_another_leaf_is_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 2))
    swapped = [*leaves[:at], leaves[at + 1], leaves[at], *leaves[at + 2 :]]
    changed = [*leaves[:at], leaves[at] + b"!", *leaves[at + 1 :]]
    assert len({merkle.root(grown(tree)) for tree in (leaves, swapped, changed, leaves[:-1])}) == 4


def test_a_leaf_cannot_pass_for_an_inner_node() -> None:
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.leaf(bytes.fromhex(left + right)) != merkle.node(left, right)
