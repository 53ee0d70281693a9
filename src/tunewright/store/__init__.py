"""Where things are kept: blobs in a folder, everything else in five tables.

Reading is open. Writing evidence is only possible inside a `Step`, which makes "nothing without
evidence" a property of the code and not of our discipline.
"""

from tunewright.store.blobs import Blobs, Lines, hash_path
from tunewright.store.distinct import Distinct
from tunewright.store.ledger import Ledger, Step, Work, software
from tunewright.store.looks import Looks
from tunewright.store.people import Link, People
from tunewright.store.tables import connect
from tunewright.store.traffic import Traffic
from tunewright.store.vault import Vault
from tunewright.store.verify import Verification, verify

__all__ = [
    "Blobs",
    "Distinct",
    "Ledger",
    "Lines",
    "Link",
    "Looks",
    "People",
    "Step",
    "Traffic",
    "Vault",
    "Verification",
    "Work",
    "connect",
    "hash_path",
    "software",
    "verify",
]
