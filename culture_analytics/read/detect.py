"""What a file is, from its content, and what is wrong with it if it cannot be a data file.

Nothing here trusts the extension: trusts rename files, browsers save HTML as ``.xls``, and mail
systems cut workbooks short.
"""

from __future__ import annotations

import difflib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from culture_analytics.errors import CultureAnalyticsError, ExtractError

__all__ = ["FileKind", "clean_path", "recognise"]

HEAD_BYTES = 4096


@dataclass(frozen=True)
class FileKind:
    """A recognised file.

    Attributes
    ----------
    path : Path
        Where it is.
    format : str
        ``text``, ``xlsx``, ``xlsb``, ``xls``, ``ods``, ``sav`` or ``parquet``.
    size : int
        Bytes.
    """

    path: Path
    format: str
    size: int

    @property
    def name(self) -> str:
        """File name without its folder."""
        return self.path.name


def clean_path(path: str | Path) -> Path:
    """Take a path as people paste it: quotes of "Copy as path" and outer blanks removed."""
    if isinstance(path, Path):
        return path.expanduser()
    return Path(str(path).strip().strip("\"'\u201c\u201d\u2018\u2019").strip()).expanduser()


# Beginnings of files that are certainly not a table of respondents, and what to do about each.
_SAVE_AS = "Open it in Excel and save it as .xlsx or .csv"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG picture", "Ask for the data file itself"),
    (b"\xff\xd8\xff", "a JPEG picture", "Ask for the data file itself"),
    (b"GIF8", "a GIF picture", "Ask for the data file itself"),
    (b"BM", "a BMP picture", "Ask for the data file itself"),
    (b"II*\x00", "a TIFF picture", "Ask for the data file itself"),
    (b"MM\x00*", "a TIFF picture", "Ask for the data file itself"),
    (b"%PDF", "a PDF document", "Ask for the data file itself"),
    (b"{\\rtf", "a Word (RTF) document", "Ask for the data file itself"),
    (b"Rar!", "a RAR archive", "Unpack it first and give the file inside"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first and give the file inside"),
    (b"\x1f\x8b", "a gzip-compressed file", "Unpack it first and give the file inside"),
    (b"BZh", "a bzip2-compressed file", "Unpack it first and give the file inside"),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file", "Unpack it first and give the file inside"),
    (b"SQLite format 3", "a SQLite database", "Export the table as .csv"),
    (b"<stata_dta>", "a Stata file", "Save it as .sav or .csv"),
    (b"ASCII SPSS PORT", "an SPSS portable file", "Save it in SPSS as .sav"),
    (b"RDX", "an R data file", "Save it in R as .csv or .parquet"),
    (b"ARROW1", "a Feather (Arrow) file", "Save it as .parquet or .csv"),
    (b"PARE", "an encrypted parquet file", "Save it without encryption"),
)
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def recognise(
    path: str | Path, *, error: type[CultureAnalyticsError] = ExtractError, caller: str = ""
) -> FileKind:
    """Find out what a file is, from its first bytes.

    Parameters
    ----------
    path : str or Path
        File to look at.
    error : type of CultureAnalyticsError, default ExtractError
        Error to raise, so that other readers can use this one.
    caller : str, optional
        Function named in messages, such as ``read_extract``.

    Returns
    -------
    FileKind
        The file and its format.

    Raises
    ------
    ExtractError
        (or `error`) if there is no such file, it cannot be opened, or it is something that cannot
        hold a table: a picture, a PDF, a web page, an archive, an encrypted workbook.
    """
    file = clean_path(path)
    if file.name.startswith("~$"):
        raise error(
            f"{file.name} is the small file Excel keeps while a workbook is open, not the "
            f"workbook. Give {file.name[2:]} instead."
        )
    try:
        missing = not file.exists()
    except OSError as problem:  # a name longer than the system takes
        reason = problem.strerror or type(problem).__name__
        raise error(f"{file.name[:60]} cannot be read: {reason}. Check the path.") from None
    if missing:
        raise error(_not_found(file))
    if file.is_dir():
        raise error(_a_folder(file, caller))
    head, size = _read_head(file, error)
    if size == 0 or not head.strip(b"\x00\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise error(f"{file.name} is empty ({size:,} bytes): ask for the file again.")
    _refuse_foreign(file, head, error)
    if b"ENCRYPTEDSAV" in head[:64]:
        raise error(_encrypted(file, "SPSS file"))
    if head.startswith((b"$FL2", b"$FL3")):
        return FileKind(file, "sav", size)
    if head.startswith(b"PAR1"):
        return FileKind(file, "parquet", size)
    if head.startswith(_OLE2):
        return FileKind(file, _ole_format(file, error), size)
    if head.startswith(b"PK"):
        return FileKind(file, _zip_format(file, error), size)
    _refuse_markup(file, head, error)
    if _looks_binary(head):
        raise error(
            f"{file.name} is not a file this library can read: its content is neither text nor "
            "a workbook, an SPSS file or a parquet file. It may be damaged; ask for it again."
        )
    return FileKind(file, "text", size)


def _refuse_foreign(file: Path, head: bytes, error: type[CultureAnalyticsError]) -> None:
    for magic, what, remedy in _FOREIGN:
        if head.startswith(magic) and not (magic == b"BM" and head[6:10] != b"\x00" * 4):
            raise error(_foreign(file, what, remedy))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        raise error(_foreign(file, "a WebP picture", "Ask for the data file itself"))


def _read_head(file: Path, error: type[CultureAnalyticsError]) -> tuple[bytes, int]:
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        return head, file.stat().st_size
    except PermissionError:
        lock = file.with_name("~$" + file.name)
        held = (
            "Excel has it open"
            if lock.exists()
            else "another program (often Excel) has it open, or you may not read it"
        )
        raise error(
            f"{file.name} cannot be opened: {held}. Close it there and run this again; if that "
            "does not help, copy the file to your own folder and use the copy."
        ) from None
    except OSError as problem:
        raise error(
            f"{file.name} cannot be read: {problem.strerror or type(problem).__name__}. If it "
            "lies on a network drive or in the cloud, copy it to this computer first."
        ) from None


def _not_found(file: Path) -> str:
    folder = file.parent
    if not folder.exists():
        return f"There is no file {file}: the folder {folder} does not exist."
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        names = []
    by_folded = {name.casefold(): name for name in names if not name.startswith("~$")}
    near = difflib.get_close_matches(file.name.casefold(), list(by_folded), n=3, cutoff=0.5)
    same_stem = [
        name
        for folded, name in by_folded.items()
        if Path(folded).stem == file.stem.casefold() and folded not in near
    ]
    found = [by_folded[name] for name in near] + same_stem
    hint = f" Nearest names there: {', '.join(found[:4])}." if found else ""
    return f"There is no file named {file.name} in the folder {folder.resolve()}.{hint}"


def _a_folder(file: Path, caller: str) -> str:
    data_like = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".sav", ".parquet"}
    try:
        names = sorted(p.name for p in file.iterdir() if p.suffix.lower() in data_like)
    except OSError:
        names = []
    held = f" Data files in it: {', '.join(names[:5])}." if names else ""
    more = f" (and {len(names) - 5:,} more)" if len(names) > 5 else ""
    call = f"{caller}() reads" if caller else "Give"
    return f"{file} is a folder. {call} one file.{held}{more}"


def _foreign(file: Path, what: str, remedy: str) -> str:
    named = f" although its name ends in {file.suffix}" if file.suffix else ""
    return f"{file.name} is {what}{named}. {remedy}."


def _encrypted(file: Path, what: str) -> str:
    return (
        f"{file.name} is a password-protected {what}. Open it with the password, save a copy "
        "without one in a safe place, and use the copy."
    )


def _cut_short(file: Path) -> str:
    return (
        f"{file.name} is a damaged or cut-off workbook ({file.stat().st_size:,} bytes): it begins "
        "as one, but its end is missing. Copy or download it again."
    )


def _ole_format(file: Path, error: type[CultureAnalyticsError]) -> str:
    content = file.read_bytes()

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    if holds("EncryptedPackage"):
        raise error(_encrypted(file, "workbook"))
    if holds("WordDocument"):
        raise error(_foreign(file, "a Word document", "Ask for the data file itself"))
    if holds("PowerPoint Document"):
        raise error(_foreign(file, "a PowerPoint file", "Ask for the data file itself"))
    if holds("__properties_version1.0"):
        raise error(_foreign(file, "an Outlook message", "Save its attachment and give that"))
    if not holds("Workbook") and not holds("Book"):
        raise error(_cut_short(file))
    return "xls"


def _zip_format(file: Path, error: type[CultureAnalyticsError]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.namelist()
            mimetype = archive.read("mimetype")[:80] if "mimetype" in members else b""
            manifest = (
                archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in members else b""
            )
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
        raise error(_cut_short(file)) from None
    names = set(members)
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if mimetype.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        if b"encryption-data" in manifest:
            raise error(_encrypted(file, "workbook"))
        return "ods"
    if "word/document.xml" in names or b"opendocument.text" in mimetype:
        raise error(_foreign(file, "a word-processor document", "Ask for the data file itself"))
    if "ppt/presentation.xml" in names:
        raise error(_foreign(file, "a PowerPoint file", "Ask for the data file itself"))
    held = [Path(name).name for name in members if not name.endswith("/")]
    inside = f" It holds {', '.join(held[:5])}" if held else " It is empty"
    more = f" and {len(held) - 5:,} more" if len(held) > 5 else ""
    raise error(
        f"{file.name} is a zip archive.{inside}{more}. Unpack it first and give the file inside."
    )


def _refuse_markup(file: Path, head: bytes, error: type[CultureAnalyticsError]) -> None:
    text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<div")):
        raise error(_foreign(file, "a web page (HTML)", _SAVE_AS))
    if text.startswith((b"<?xml", b"<workbook")):
        if b"office:spreadsheet" in text:
            raise error(_foreign(file, "an Excel 2003 XML file", _SAVE_AS))
        if b"<html" in text:
            raise error(_foreign(file, "a web page (HTML)", _SAVE_AS))
        raise error(_foreign(file, "an XML file", "Ask for it as .csv or .xlsx"))
    if text.startswith((b"{", b"[{")):
        raise error(_foreign(file, "a JSON file", "Ask for it as .csv or .xlsx"))


def _looks_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    nul = head.count(b"\x00")
    # UTF-16 without a mark: every other byte of plain text is zero, and nothing else is odd.
    if nul and _wide_text(head) is not None:
        return False
    return control > len(head) * 0.02


def _wide_text(head: bytes) -> str | None:
    """Tell UTF-16 without a byte-order mark by where its zero bytes stand."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > 0.6 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def wide_encoding(head: bytes) -> str | None:
    """Give the UTF-16 byte order of text without a byte-order mark, or None if it is not that."""
    return _wide_text(head)
