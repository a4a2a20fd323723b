"""Lists of wallets that people paste, upload or send: free text, CSV, NDJSON, and the
JSON exports of trading terminals.

Every line or item becomes an entry. One that cannot be used says why; the others are
kept.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from discovery.domain.addresses import is_address, not_wallet_reason
from discovery.domain.chain_text import clean_text
from discovery.domain.display import short_address
from discovery.domain.spreadsheets import unescape_formula
from discovery.domain.wallet_labels import clean_label, clean_tags, split_tags

MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 5_000_000
MAX_QUOTED_LENGTH: Final = 60

_ADDRESS_KEYS: Final = (
    "trackedwalletaddress", "address", "walletaddress", "wallet", "publickey",
)  # fmt: skip
_LABEL_KEYS: Final = ("label", "name")
_TAG_KEYS: Final = ("tags", "groups", "groupnames", "tag", "group")
_LIST_KEYS: Final = ("wallets", "addresses", "data")
"""Names of keys and columns in lower case without blanks, `_` and `-`, the first one
that is present wins.
"""
_DELIMITERS: Final = (",", ";", "\t")
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_PLAIN_LINE: Final = re.compile(
    r"\s*(?P<address>[^\s,;]*)(?:\s*[,;]\s*|\s+)?(?P<label>.*?)\s*", re.DOTALL
)


class EntryResult(StrEnum):
    """What became of an entry of a list."""

    ADDED = "added"
    KNOWN = "known"
    INVALID = "invalid"
    NOT_A_WALLET = "not_a_wallet"
    DUPLICATE = "duplicate"


class ListEntry(msgspec.Struct, frozen=True):
    """One wallet of a list.

    number: of the line in a text, of the item in an array; 1 = the first. address: as
    written, cut if it is none. rejection: why it cannot be used, with `reason` in
    words; None if it can.
    """

    number: int
    address: str
    label: str = ""
    tags: tuple[str, ...] = ()
    rejection: EntryResult | None = None
    reason: str = ""


class ListError(Exception):
    """The list as a whole cannot be read. The text says why."""


class ListTooLarge(ListError):
    """The list has more than MAX_BYTES or MAX_ENTRIES."""


class _Written(msgspec.Struct, frozen=True):
    """An entry as it is written: any text as address. problem: why it has none."""

    number: int
    address: str = ""
    label: str = ""
    tags: tuple[str, ...] = ()
    problem: str = ""


def parse_list(source: str | bytes) -> list[ListEntry]:
    """Return the entries of a list in their order. The shape is recognised.

    Raises ListError for text that is not UTF-8, malformed JSON and CSV; ListTooLarge.
    """
    text = decode_text(source)
    start = text.lstrip()[:1]
    if start == "[":
        return check_items(load_json(text))
    if start == "{":
        return _checked(_objects(text))
    return _checked(_lines(text))


def check_items(items: Any) -> list[ListEntry]:
    """Return the entries of an array of JSON: addresses as text, and objects with the
    keys of one of the terminals. Unknown keys are ignored.

    Raises ListError for a value that is no array, ListTooLarge.
    """
    if not isinstance(items, list):
        raise ListError("the list of wallets is not an array")
    return _checked(
        _written_item(number, item) for number, item in enumerate(items, start=1)
    )


def decode_text(source: str | bytes) -> str:
    """Return the text of a list without its byte order mark. Raises ListError,
    ListTooLarge.
    """
    size = len(source)
    if isinstance(source, str):
        size = len(source.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise ListTooLarge(
            f"the list has {size:,} bytes; at most {MAX_BYTES:,} are read at a time"
        )
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    encoding = "utf-16" if source.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        return source.decode(encoding)
    except UnicodeDecodeError:
        raise ListError("the list is not text in UTF-8") from None


def load_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ListError with the place of the error."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ListError(
            f"not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (RecursionError, ValueError):
        raise ListError(
            "not valid JSON: nested too deeply, or a number that is too long"
        ) from None


def _objects(text: str) -> Iterator[_Written]:
    """Yield the entries of one object that holds a list or a wallet, or of an object a
    line.
    """
    try:
        value = json.loads(text)
    except (RecursionError, ValueError):
        return _ndjson(text)
    items = next(
        (value[key] for key in _LIST_KEYS if isinstance(value.get(key), list)), [value]
    )
    numbered = enumerate(items, start=1)
    return (_written_item(number, item) for number, item in numbered)


def _ndjson(text: str) -> Iterator[_Written]:
    lines = list(_numbered_lines(text))
    load_json(lines[0][1])  # if it fails, the text is a single malformed object
    for number, line in lines:
        try:
            item = json.loads(line)
        except (RecursionError, ValueError):
            yield _Written(number, line, problem="not a line of JSON")
        else:
            yield _written_item(number, item)


def _written_item(number: int, item: Any) -> _Written:
    if isinstance(item, str):
        return _Written(number, item)
    if not isinstance(item, Mapping):
        return _Written(number, problem="neither an address nor an object")
    values = {_normalized(key): value for key, value in item.items()}
    address = _first_value(values, _ADDRESS_KEYS)
    if not isinstance(address, str):
        return _Written(number, problem="no address")
    label = _first_value(values, _LABEL_KEYS)
    tags = _first_value(values, _TAG_KEYS)
    return _Written(
        number=number,
        address=address,
        label=label if isinstance(label, str) else "",
        tags=_item_tags(tags),
    )


def _item_tags(value: Any) -> tuple[str, ...]:
    match value:
        case str():
            return split_tags(value)
        case list():
            return clean_tags(value)
        case _:
            return ()


def _normalized(name: str | None) -> str:
    return re.sub(r"[\s_-]", "", name or "").lower()


def _first_value(values: Mapping[str, Any], keys: Iterable[str]) -> Any:
    present = (values[key] for key in keys if values.get(key) not in (None, ""))
    return next(present, None)


def _numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither empty nor comments, with their numbers."""
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _lines(text: str) -> Iterator[_Written]:
    first = next(_numbered_lines(text), None)
    if first is None:
        return iter(())
    number, line = first
    for delimiter in _DELIMITERS:
        names = [_normalized(cell) for cell in line.strip().split(delimiter)]
        if any(name.strip('"') in _ADDRESS_KEYS for name in names):
            return _csv(text, delimiter, number - 1)
    return map(_plain_line, *zip(*_numbered_lines(text), strict=True))


def _plain_line(number: int, line: str) -> _Written:
    match = _PLAIN_LINE.fullmatch(line)
    assert match is not None  # the pattern matches every text
    address = match["address"].strip('"')
    if not address:
        return _Written(number, line, problem="no address")
    return _Written(number, address, _unquoted(match["label"]))


def _unquoted(label: str) -> str:
    is_quoted = len(label) > 1 and label.startswith('"') and label.endswith('"')
    return label[1:-1].replace('""', '"') if is_quoted else label


def _csv(text: str, delimiter: str, lines_before: int) -> Iterator[_Written]:
    """Yield the rows below a header. lines_before: empty lines and comments above it."""
    source = io.StringIO(text, newline="")
    for _ in range(lines_before):
        source.readline()
    reader = csv.reader(source, delimiter=delimiter)
    try:
        names = [_normalized(name) for name in next(reader)]
        for row in reader:
            entry = _csv_row(lines_before + reader.line_num, names, row)
            if not _is_comment(row, entry):
                yield entry
    except csv.Error as error:
        line = lines_before + reader.line_num
        raise ListError(f"not valid CSV: line {line}: {error}") from None


def _is_comment(row: list[str], entry: _Written) -> bool:
    """Return True for an empty row, and for one that begins with `#` and has no address."""
    if not any(cell.strip() for cell in row):
        return True
    return row[0].lstrip().startswith("#") and not is_address(entry.address.strip())


def _csv_row(number: int, names: list[str], row: list[str]) -> _Written:
    cells = [unescape_formula(cell) for cell in row]
    # Rows may be shorter or longer than the header.
    return _written_item(number, dict(zip(names, cells, strict=False)))


def _checked(written: Iterable[_Written]) -> list[ListEntry]:
    entries: list[ListEntry] = []
    first_numbers: dict[str, int] = {}
    for entry in written:
        if len(entries) == MAX_ENTRIES:
            raise ListTooLarge(
                f"the list has more than {MAX_ENTRIES:,} entries; split it"
            )
        entries.append(_check(entry, first_numbers))
    return entries


def _check(written: _Written, first_numbers: dict[str, int]) -> ListEntry:
    """Return the entry. first_numbers: address → number of the entry that has it, which
    is updated.
    """
    address = written.address.strip()
    if written.problem or not is_address(address):
        quoted = clean_text(address, MAX_QUOTED_LENGTH)
        problem = written.problem or (
            "not a Solana address" if quoted else "no address"
        )
        return ListEntry(
            written.number, quoted, rejection=EntryResult.INVALID, reason=problem
        )
    first = first_numbers.setdefault(address, written.number)
    if first != written.number:
        return ListEntry(
            written.number,
            address,
            rejection=EntryResult.DUPLICATE,
            reason=f"listed before: number {first}",
        )
    label = clean_label(written.label)
    reason = not_wallet_reason(address)
    return ListEntry(
        number=written.number,
        address=address,
        # Exports to terminals use the short address where a wallet has no label.
        label="" if label == short_address(address) else label,
        tags=clean_tags(written.tags),
        rejection=EntryResult.NOT_A_WALLET if reason else None,
        reason=reason,
    )
