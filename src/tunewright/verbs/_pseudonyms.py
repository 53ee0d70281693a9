"""Surrogates: what stands in a record in place of a person, so that a model learns neither person nor gap.

They are invented, and numbers and addresses come from ranges that belong to nobody: example domains (RFC
2606), documentation networks (RFC 5737, RFC 3849), telephone numbers reserved for fiction (Ofcom, 01632 960).
"""

from collections.abc import Callable
from functools import partial

from tunewright.store import Vault

GIVEN = [
    "Alva",
    "Bram",
    "Cleo",
    "Dario",
    "Edda",
    "Finn",
    "Greta",
    "Hugo",
    "Ilse",
    "Jaro",
    "Kira",
    "Levi",
    "Mara",
    "Nils",
    "Oona",
    "Pavel",
    "Quinn",
    "Rosa",
    "Sven",
    "Tilda",
    "Uma",
    "Viggo",
    "Wanda",
    "Xenia",
    "Yann",
    "Zora",
    "Anton",
    "Birgit",
    "Corin",
    "Delia",
    "Emil",
    "Flora",
    "Gideon",
    "Hanna",
    "Igor",
    "Juno",
    "Kasper",
    "Lotte",
    "Milo",
    "Nora",
    "Otis",
    "Petra",
    "Rafael",
    "Saskia",
    "Theo",
    "Ursel",
    "Vera",
    "Willem",
    "Yara",
    "Zeno",
]
FAMILY = [
    "Ashgrove",
    "Birkland",
    "Cobbleton",
    "Dunmere",
    "Elmhurst",
    "Farrowby",
    "Greenholt",
    "Hartwell",
    "Inglefield",
    "Larkspur",
    "Mossdale",
    "Nettleby",
    "Oakenfold",
    "Pebblecombe",
    "Quarrington",
    "Rookwood",
    "Saltmarsh",
    "Thistledown",
    "Underhill",
    "Vinterberg",
    "Willowby",
    "Amberley",
    "Brackenridge",
    "Cloverdell",
    "Driftmoor",
    "Everglen",
    "Foxcroft",
    "Gorseland",
    "Hazelmere",
    "Ivyhold",
    "Lindenau",
    "Marlow",
]
STREETS = [
    "Larch",
    "Sorrel",
    "Heron",
    "Copper",
    "Linden",
    "Maple",
    "Orchard",
    "Harbour",
    "Chapel",
    "Meadow",
    "Willow",
    "Station",
]
TOWNS = [
    "Northbridge",
    "Eastmere",
    "Hollowford",
    "Kestrelton",
    "Larchfield",
    "Marrowby",
    "Oakhaven",
    "Pinebury",
]
FRONT = [
    "Bel",
    "Cor",
    "Dal",
    "Fen",
    "Gal",
    "Hal",
    "Jor",
    "Kel",
    "Lor",
    "Mar",
    "Nor",
    "Per",
    "Rav",
    "Sel",
    "Tam",
    "Ver",
]
BACK = [
    "and",
    "bert",
    "din",
    "dor",
    "gard",
    "lan",
    "len",
    "lis",
    "mir",
    "nan",
    "ric",
    "rin",
    "son",
    "ter",
    "vin",
    "win",
]

Make = Callable[[bytes, int], str]


def surrogate(vault: Vault, kind: str, words: str) -> str:
    """What stands in place of these words: the same for the same words and key, another for others.

    Each part of a name has a surrogate of its own, so that `Anna Berg`, `Anna` and `Berg` stay one person.
    Kinds without an invented form get the kind and a number in brackets.
    """
    if kind == "name":
        parts = words.split()
        lists = [GIVEN] * (len(parts) - 1) + [FAMILY if len(parts) > 1 else GIVEN]
        made = [
            vault.surrogate("name", part.strip(".,'’s").casefold() or part, partial(_name, names))
            for part, names in zip(parts, lists, strict=True)
        ]
        return " ".join(made)
    make = MAKERS.get(kind) or partial(_numbered, kind)
    return vault.surrogate(kind, " ".join(words.split()).casefold(), make)


def _number(seed: bytes, attempt: int, below: int) -> int:
    return (int.from_bytes(seed[:8]) + attempt * 7919) % below


def _name(names: list[str], seed: bytes, attempt: int) -> str:
    if attempt < len(names):
        return names[(int.from_bytes(seed[:4]) + attempt) % len(names)]
    return FRONT[seed[attempt % 32] % 16] + BACK[seed[(attempt + 7) % 32] % 16] + BACK[attempt % 16]


def _email(seed: bytes, attempt: int) -> str:
    name = GIVEN[_number(seed, attempt, len(GIVEN))].lower()
    return f"{name}.{FAMILY[seed[9] % len(FAMILY)].lower()}{_number(seed, attempt, 997)}@example.org"


def _phone(seed: bytes, attempt: int) -> str:
    return f"+44 1632 960{_number(seed, attempt, 1000):03d}"


def _address(seed: bytes, attempt: int) -> str:
    number = _number(seed, attempt, 400) + 1
    return f"{number} {STREETS[seed[9] % len(STREETS)]} Street, {TOWNS[seed[10] % len(TOWNS)]}"


def _place(seed: bytes, attempt: int) -> str:
    return (
        TOWNS[_number(seed, attempt, len(TOWNS))] if attempt < len(TOWNS) else _name(TOWNS, seed, attempt + 8)
    )


def _ip(seed: bytes, attempt: int) -> str:
    return f"203.0.113.{_number(seed, attempt, 254) + 1}"


def _birth_date(seed: bytes, attempt: int) -> str:
    day = _number(seed, attempt, 28 * 12 * 60)
    return f"{1940 + day // 336}-{day // 28 % 12 + 1:02d}-{day % 28 + 1:02d}"


def _numbered(kind: str, seed: bytes, attempt: int) -> str:
    return f"[{kind.upper()} {_number(seed, attempt, 1_000_000):06d}]"


MAKERS: dict[str, Make] = {
    "email": _email,
    "phone": _phone,
    "address": _address,
    "place": _place,
    "ip": _ip,
    "birth_date": _birth_date,
}
"""Kinds with an invented form. Cards, accounts and national ids have none: they must not look valid."""
