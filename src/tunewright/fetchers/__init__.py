"""Fetchers bring what lies elsewhere into a folder of this project.   (uri, into, **options) -> Path

A fetcher writes into `into` and nowhere else, and gives the file or folder there that a source can read.
What breaks off is never left behind as if it were whole. Secrets come from the environment: a URI may say
`${NAME}` for the value of a variable, and what is shown of a URI (`shown`) has no passwords, keys or tokens.
Nothing is fetched unless a URI in tunewright.yaml asks for it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from tunewright.errors import BadInput
from tunewright.shelf import Shelf

fetchers: Shelf[Callable[..., Path]] = Shelf(__name__)

_DATABASES = frozenset(
    {
        *("sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "duckdb", "snowflake"),
        *("bigquery", "redshift", "trino", "clickhouse", "databricks", "cockroachdb"),
    }
)
_FILES = frozenset(
    {
        *("http", "https", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "hdfs"),
        *("webhdfs", "ftp", "sftp", "ssh", "smb", "file", "memory", "dropbox", "box", "gdrive"),
    }
)
_SECRET = re.compile(
    r"(?:key|token|secret|passw|pwd|signature|credential|auth|sas)|\A(?:sig|code|access)\Z", re.IGNORECASE
)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PARAMETER = re.compile(r"([?&;])([^=&;?#]{1,80})=([^&;#]*)")
_HIDDEN = "***"


def pick_fetcher(uri: str) -> str:
    """Name of the fetcher for a URI, by its scheme. Errors: `BadInput` naming the schemes that are known."""
    scheme = scheme_of(resolved(uri))
    if scheme in ("hub", "hf"):
        return "hub"
    if scheme in _DATABASES:
        return "sql"
    if scheme in _FILES:
        return "remote"
    raise BadInput(
        f"uri {shown(uri)!r} does not say what it is"
        if not scheme
        else f"nothing here fetches {scheme}: addresses",
        hint="known: hub:owner/name@revision · s3://, gs://, abfs://, https:// and other addresses of files ·"
        " postgresql://, mysql://, sqlite:/// and other databases",
    )


def scheme_of(uri: str) -> str:
    """The scheme without its driver, in small letters: `postgresql` of `postgresql+psycopg://…`."""
    found = re.match(r"([A-Za-z][A-Za-z0-9.-]*)(?:\+[A-Za-z0-9_]+)?:", uri)
    return found[1].lower() if found else ""


def resolved(uri: str) -> str:
    """The URI with the values of the variables in it. Errors: `BadInput` naming one that is not set."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise BadInput(
                f"uri names the variable {found[1]}, which is not set", hint=f"export {found[1]}=…"
            )
        return os.environ[found[1]]

    return _VARIABLE.sub(value, uri)


def shown(uri: str) -> str:
    """The URI as it may be shown and kept: without passwords, keys and tokens.

    What `${NAME}` stands for is not looked up. The name of a user stays; in addresses of files, where it may
    be a key, it goes as well.
    """
    head, mark, rest = uri.partition("://")
    if not mark:
        return uri
    who, at, where = _authority(uri)
    if at:
        user, colon, password = who.partition(":")
        hidden = password if _VARIABLE.fullmatch(password) else _HIDDEN
        lonely = not colon and len(user) > 20 and not _VARIABLE.fullmatch(user)
        rest = f"{_HIDDEN if lonely else user}{colon}{hidden if colon else ''}@{where}"
    return f"{head}://{_PARAMETER.sub(_hide, rest)}"


def _authority(uri: str) -> tuple[str, str, str]:
    """Who is named before an at sign, the sign if there is one, and what follows it.

    A password may hold slashes, at signs and question marks that nobody escaped: the last at sign ends it.
    """
    rest = uri.partition("://")[2]
    plain = re.match(r"[^@/?#]*@", rest) or scheme_of(uri) in _DATABASES
    odd = re.match(r"[^@/?#:]*:(?!\d+(?:[/?#]|\Z))[^@]*@", rest)
    if "@" not in rest or not (plain or odd):
        return "", "", rest
    end = len(rest)
    if query := re.search(r"\?[\w.-]+=", rest):  # an at sign in the query ends no password
        end = query.start() if "@" in rest[: query.start()] else end
    who, at, where = rest[:end].rpartition("@")
    return who, at, where + rest[end:]


def _hide(found: re.Match[str]) -> str:
    kept = not _SECRET.search(unquote(found[2])) or _VARIABLE.fullmatch(found[3]) or not found[3]
    return found[0] if kept else f"{found[1]}{found[2]}={_HIDDEN}"


def scrubbed(text: str, uri: str) -> str:
    """What a library said, without any secret of a URI and no longer than 300 characters."""
    whole = resolved(uri)
    who, _, _ = _authority(whole)
    secrets = {who.partition(":")[2], who}
    secrets |= {found[3] for found in _PARAMETER.finditer(whole) if _SECRET.search(found[2])}
    secrets |= {os.environ.get(name, "") for name in _VARIABLE.findall(uri)}
    secrets |= {unquote(secret) for secret in secrets} | {quote(secret, safe="") for secret in secrets}
    text = text.replace(whole, shown(uri))
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, _HIDDEN)
    return " ".join(text.split())[:300]
