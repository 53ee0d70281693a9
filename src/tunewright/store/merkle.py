"""An append-only Merkle tree (RFC 6962, section 2.1) kept as its peaks.

A tree of n leaves is a row of perfect trees whose sizes are the powers of two in n. Their roots
("peaks", largest first) are all that appending and computing the root need: O(log n) hashes.
"""

import hashlib

Peaks = tuple[str, ...]
EMPTY = hashlib.sha256(b"").hexdigest()


def leaf(data: bytes) -> str:
    """Hash of a leaf: SHA-256(0x00 ‖ data), in hexadecimal."""
    return hashlib.sha256(b"\x00" + data).hexdigest()


def node(left: str, right: str) -> str:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), in hexadecimal."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def append(peaks: Peaks, size: int, leaf_hash: str) -> Peaks:
    """Peaks of a tree of `size` leaves after one more."""
    row = list(peaks)
    carried = leaf_hash
    while size & 1:
        carried = node(row.pop(), carried)
        size >>= 1
    return (*row, carried)


def root(peaks: Peaks) -> str:
    """Root of the tree: the peaks folded from the right."""
    if not peaks:
        return EMPTY
    *rest, top = peaks
    for peak in reversed(rest):
        top = node(peak, top)
    return top
