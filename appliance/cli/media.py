"""``juki media``: files that come and go on media, prepared and opened away from the appliance.

Nothing here needs a server: whoever has rows to send, or a result to read, has this command, a key
pair of his own, and the public key of the appliance.
"""

import base64
import binascii
import csv
from pathlib import Path

import click

from appliance.cli.frame import Exit, Group, Stop, as_json, must_be_private, show
from appliance.errors import Malformed
from appliance.files import replace_file
from appliance.media import (
    KEY_SIZE,
    data_lines,
    framed,
    new_key,
    open_sealed,
    seal_for,
    text_of,
    unframed,
)

HEADER_FIELDS, LONGEST_REQUEST = 3, 40
"""Of a bulk inquiry (B-01, B-03): what is wrong is told before the medium is carried off."""
FILE = click.Path(path_type=Path, dir_okay=False)
THERE = click.Path(path_type=Path, exists=True, dir_okay=False)


FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes a cell for a formula by; the bytes of a result stay as hashed."""


@click.group(cls=Group)
def media() -> None:
    """媒体連携: prepare a file for the appliance, and open the result."""


@media.command()
@click.argument("key", type=FILE)
@as_json
def keygen(key: Path) -> None:
    """Draw a key pair; the private half goes to the file KEY, mode 0600.

    Register the public half with provision/add-recipient.

    Example:
      juki media keygen tax.key
    """
    if key.exists():
        raise Stop(Exit.REFUSED, "exists", f"{key}: is there already")
    private, public = new_key()
    replace_file(key, f"{text_of(private)}\n".encode(), 0o600)
    show({"key": str(key), "public_key": public})


@media.command()
@click.argument("rows", type=THERE)
@click.argument("out", type=FILE)
@click.option("--to", "public_key", required=True, help="The public key of the appliance.")
@click.option("--header", required=True, help="Fields of the header, commas between.")
@as_json
def seal(rows: Path, out: Path, public_key: str, header: str) -> None:
    """Number and frame the ROWS of a CSV file (UTF-8, no heading), and seal them into OUT.

    Columns of a bulk inquiry: your reference, then 住民票コード, 個人番号, 氏名, かな,
    生年月日, 性別, 住所; empty where not known.

    Example:
      juki media seal rows.csv inquiry.sealed --to KEY --header juki-bulk/1,prefectural-tax,R8-1
    """
    parts = header.split(",")
    if len(parts) != HEADER_FIELDS or not all(parts) or len(parts[-1]) > LONGEST_REQUEST:
        told = (
            f"--header: give profile, 事務 code and 依頼番号 (up to {LONGEST_REQUEST} characters)"
        )
        raise Stop(Exit.NOT_UNDERSTOOD, "header", told)
    try:
        with rows.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            fields = [row for row in reader if row]
    except UnicodeDecodeError:
        raise Stop(Exit.NOT_UNDERSTOOD, "rows", f"{rows}: is not CSV in UTF-8") from None
    except csv.Error:
        told = f"{rows}: line {reader.line_num} is not CSV"
        raise Stop(Exit.NOT_UNDERSTOOD, "rows", told) from None
    content = framed(parts, data_lines(1, fields), len(fields)).encode()
    frame = unframed(content)
    if frame.problems:
        raise Stop(
            Exit.NOT_UNDERSTOOD, "rows", *(f"{rows}: {each.text}" for each in frame.problems[:20])
        )
    try:
        sealed = seal_for(public_key, content)
    except Malformed as problem:
        raise Stop(Exit.NOT_UNDERSTOOD, "public-key", problem.text) from None
    replace_file(out, sealed, 0o600)
    show({"file": str(out), "rows": len(fields), "sha256": frame.digest})


@media.command("open")
@click.argument("sealed", type=THERE)
@click.argument("out", type=FILE)
@click.option("--key", required=True, type=THERE, help="The private key, from keygen.")
@as_json
def open_result(sealed: Path, out: Path, key: Path) -> None:
    """Open a SEALED result into OUT, mode 0600, and check that no row is missing.

    Example:
      juki media open result.sealed result.csv --key tax.key
    """
    if out.exists():
        raise Stop(Exit.REFUSED, "exists", f"{out}: is there already")
    try:
        content = open_sealed(_private(key), sealed.read_bytes())
    except Malformed as problem:
        raise Stop(Exit.REFUSED, "sealed", f"{sealed}: {problem.text}") from None
    frame = unframed(content)
    if frame.problems:
        raise Stop(Exit.HUMAN, "frame", *(f"{sealed}: {each.text}" for each in frame.problems[:20]))
    replace_file(out, content, 0o600)
    if risky := sum(any(cell.startswith(FORMULA) for cell in row) for row in frame.rows):
        click.echo(
            f"warning: {risky} rows have cells that begin with = + - or @; a spreadsheet would "
            "take them for formulas: import every column as text",
            err=True,
        )
    show(
        {
            "file": str(out),
            "header": ",".join(frame.header),
            "rows": len(frame.rows),
            "formula_like_rows": risky,
            "sha256": frame.digest,
        }
    )


def _private(path: Path) -> bytes:
    must_be_private(path, "open-key")
    try:
        key = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_SIZE:
        raise Stop(Exit.NOT_UNDERSTOOD, "key", f"{path}: is not a key of juki media keygen")
    return key
