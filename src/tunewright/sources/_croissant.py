"""What a Croissant file says: files, record sets, and the facts of a dataset."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from json import loads
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from tunewright.errors import BadInput

Node = Mapping[str, object]
_HINT = "ask the provider for a Croissant 1.0 or 1.1 description (mlcommons.org/croissant)"
_LARGEST = 64 << 20
_PREFIX = re.compile(
    r"\A(?:(?:sc|schema|cr|rai|dct|ml):|https?://schema\.org/|https?://purl\.org/dc/terms/"
    r"|http://mlcommons\.org/croissant/(?:RAI/)?)(?=[A-Za-z])"
)
_LICENCES = (
    (re.compile(r"spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?\Z"), "{0}"),
    (re.compile(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)"), "CC-{0}-{1}"),
    (re.compile(r"creativecommons\.org/publicdomain/zero/(\d\.\d)"), "CC0-{0}"),
    (re.compile(r"apache\.org/licenses/LICENSE-(\d\.\d)"), "Apache-{0}"),
    (re.compile(r"opensource\.org/licenses?/(MIT)\b", re.IGNORECASE), "MIT"),
    (re.compile(r"opendatacommons\.org/licenses/by/1"), "ODC-By-1.0"),
    (re.compile(r"opendatacommons\.org/licenses/odbl/1"), "ODbL-1.0"),
)
_FACTS = {
    "link": ("url", "identifier", "sameAs", "@id"),
    "collected": ("dataCollectionTimeframe", "temporalCoverage"),
    "description": ("description",),
    "method": ("dataCollection", "dataCollectionType"),
    "purpose": ("dataUseCases",),
    "languages": ("inLanguage",),
    "version": ("version",),
    "published": ("datePublished",),
    "cite": ("citeAs", "citation"),
    "personal": ("personalSensitiveInformation",),
    "biases": ("dataBiases",),
    "limitations": ("dataLimitations",),
    "preprocessing": ("dataPreprocessingProtocol",),
    "annotation": ("dataAnnotationProtocol",),
    "maintenance": ("dataReleaseMaintenancePlan",),
    "missing": ("dataCollectionMissingData",),
}


class Field(NamedTuple):
    """A field of a record set: its name, the file (or files) it comes from, and what is taken from them."""

    name: str
    origin: str
    step: str


class RecordSet(NamedTuple):
    """Rows that a Croissant file describes."""

    name: str
    fields: tuple[Field, ...]
    trouble: str
    """Why it cannot be read, if it cannot."""


class Described(NamedTuple):
    """A Croissant file, taken apart."""

    path: Path
    node: Node
    files: dict[str, Node]
    sets: tuple[RecordSet, ...]


def opened(path: Path) -> Described:
    """Read a Croissant file, or the one in a folder. Errors: `BadInput` when it is none."""
    if path.is_dir():
        names = ("croissant.json", "metadata.json")
        path = next((path / name for name in names if (path / name).is_file()), path / names[0])
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path} is larger than {_LARGEST:,} bytes", hint=_HINT)
        node = plain(loads(path.read_bytes()))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON", hint=_HINT) from error
    graph = node.get("@graph") if isinstance(node, Mapping) else None
    if isinstance(graph, list):
        node = next((one for one in graph if isinstance(one, Mapping) and "distribution" in one), node)
    told = many(node.get("conformsTo")) if isinstance(node, Mapping) else []
    versions = " ".join(str(one.get("@id", "") if isinstance(one, Mapping) else one) for one in told)
    if not isinstance(node, Mapping) or not re.search(r"mlcommons\.org/croissant/1\.[01]\b", versions):
        raise BadInput(f"{path} does not say that it conforms to Croissant 1.0 or 1.1", hint=_HINT)
    files = {_id(one): one for one in many(node.get("distribution")) if isinstance(one, Mapping)}
    sets = tuple(_record_set(one) for one in many(node.get("recordSet")) if isinstance(one, Mapping))
    return Described(path, node, files, sets)


def plain(value: object) -> object:
    """JSON-LD with names as they are without their prefixes: `sc:name` is `name`."""
    if isinstance(value, Mapping):
        return {
            (key if key.startswith("@") else _PREFIX.sub("", str(key))): plain(one)
            for key, one in value.items()
            if key != "@context"
        }
    return [plain(one) for one in value] if isinstance(value, list) else value


def many(value: object) -> list[object]:
    """A value as a list: JSON-LD leaves the brackets out when there is one."""
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def text(value: object) -> str:
    """Words of a value: text, or the name, address or id of an object."""
    if isinstance(value, list):
        return ", ".join(found for one in value if (found := text(one)))
    if isinstance(value, Mapping):
        return text(
            next((value[key] for key in ("name", "@value", "url", "@id", "email") if key in value), "")
        )
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def facts(node: Node) -> dict[str, str]:
    """What the description says of where the data comes from, under the names of the fields of `Source`."""
    found = {"licence": licence(text(node.get("license")))}
    found["publisher"] = text(node.get("publisher")) or text(node.get("creator"))
    found["collected_by"] = text(node.get("creator"))
    for name, keys in _FACTS.items():
        found[name] = next((said for key in keys if (said := text(node.get(key)))), "")
    made = many(node.get("isBasedOn")) if not found["method"] else []
    found["method"] = found["method"] or (f"based on {text(made)}" if made else "")
    return {name: said[:2000] for name, said in found.items() if said}


def licence(said: str) -> str:
    """An address of a licence as its SPDX id, where it is a known one; else as it stands."""
    for known, name in _LICENCES:
        if found := known.search(said):
            return name.format(*(part.upper() if "CC-" in name else part for part in found.groups()))
    return said


def local(described: Described, key: str, seen: tuple[str, ...] = ()) -> list[Path]:
    """The files that a FileObject or FileSet stands for, beside the description, with their digests verified.

    Errors: `BadInput` when one is not there, lies outside or elsewhere, or has another digest.
    """
    node = described.files.get(key)
    if node is None or key in seen:
        raise BadInput(f"{described.path}: nothing in distribution is called {key!r}", hint=_HINT)
    if "FileSet" in text(node.get("@type")):
        return _set(described, node, key, (*seen, key))
    address = text(node.get("contentUrl"))
    for inside in many(node.get("containedIn")):
        name = _reference(inside)
        if name in described.files:
            local(described, name, (*seen, key))
    split = urlsplit(address)
    name = PurePosixPath(split.path).name if split.scheme in ("http", "https") else address
    path = below(described, name or text(node.get("name")))
    if not path.is_file():
        elsewhere = split.scheme in ("http", "https")
        raise BadInput(
            f"{described.path} names {name!r}, which is not beside it",
            hint="fetch it into the same folder" if elsewhere else "ask the provider for the whole delivery",
        )
    _verify(described, path, text(node.get("sha256")))
    return [path]


def _set(described: Described, node: Node, key: str, seen: tuple[str, ...]) -> list[Path]:
    folder = described.path.parent
    for inside in many(node.get("containedIn")):
        name = _reference(inside)
        contained = described.files.get(name)
        address = text(contained.get("contentUrl")) if contained else ""
        if contained and not urlsplit(address).scheme:
            path = below(described, address)
            if path.is_dir():
                folder = path
            elif path.is_file():
                raise BadInput(
                    f"{described.path}: the files of {key!r} are packed in {address}",
                    hint="unpack it beside the description and let the FileSet name the files",
                )
    includes = [text(one) for one in many(node.get("includes"))]
    excludes = [text(one) for one in many(node.get("excludes"))]
    every = sorted(one for one in folder.rglob("*") if one.is_file() and one != described.path)

    def fits(name: str, patterns: list[str]) -> bool:
        return any(fnmatchcase(name, one.replace("**/", "*")) or fnmatchcase(name, one) for one in patterns)

    names = {one: one.relative_to(folder).as_posix() for one in every}
    found = [one for one in every if fits(names[one], includes) and not fits(names[one], excludes)]
    if not found:
        raise BadInput(
            f"{described.path}: no files beside it fit {', '.join(includes) or key}",
            hint="ask the provider for the whole delivery",
        )
    for one in found:
        below(described, one.relative_to(described.path.parent).as_posix())
    return found


def below(described: Described, name: str) -> Path:
    """A file beside the description. Errors: `BadInput` when its name or a link leads elsewhere."""
    folder = described.path.parent.resolve()
    path = (folder / name).resolve()
    if not name or "\0" in name or not path.is_relative_to(folder):
        raise BadInput(
            f"{described.path} names a file outside its folder", hint="only files beside it are read"
        )
    return path


def _verify(described: Described, path: Path, expected: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", expected):
        return
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != expected.lower():
        raise BadInput(
            f"{path.name} is not the file that {described.path} describes: its sha256 is {got}",
            hint="ask the provider which of the two is right; nothing of it was read",
        )


def _id(node: Node) -> str:
    return text(node.get("@id")) or text(node.get("name"))


def _reference(value: object) -> str:
    return text(value.get("@id")) if isinstance(value, Mapping) else text(value)


def _record_set(node: Node) -> RecordSet:
    name = _id(node)
    found, trouble = list[Field](), ""
    for one in many(node.get("field")):
        if not isinstance(one, Mapping):
            continue
        source = one.get("source")
        short = text(one.get("name")) or _id(one).removeprefix(f"{name}/")
        short = short.removeprefix(f"{name}/")
        if not isinstance(source, Mapping):
            continue
        extract = source.get("extract")
        extract = extract if isinstance(extract, Mapping) else {}
        if "fileProperty" in extract:
            continue  # such as the split, from the name of the file
        origin = next(
            (_reference(source[key]) for key in ("fileObject", "fileSet", "distribution") if key in source),
            "",
        )
        step = text(extract.get("column")) or _json_path(text(extract.get("jsonPath")))
        if source.get("transform"):
            trouble = f"its field {short!r} is transformed, which is not done here"
        elif not origin:
            trouble = f"its field {short!r} comes from another record set: joins are not read"
        else:
            found.append(Field(short, origin, step))
    if not found and not trouble:
        trouble = "it has no fields that come from files"
    if len({one.origin for one in found}) > 1:
        trouble = "its fields come from several files: joins are not read"
    return RecordSet(name, tuple(found), trouble)


def _json_path(said: str) -> str:
    """A simple JSONPath as a dotted path: `$.a.b` and `$[*].a` are what descriptions have."""
    return re.sub(r"\[(\d+)\]", r".\1", re.sub(r"\A\$(?:\[\*\])?\.?", "", said)).replace("[*]", "")


def sets(described: Described) -> Iterator[str]:
    """Names of record sets that can be read."""
    return (one.name for one in described.sets if not one.trouble)
