"""The errors that a user can cause or fix. The text of each is a sentence that says what to do.

    Lo2Error                 exit status 2 on the command line, a message on a page
    |- InputError            logs, a path or an option cannot be used
    |- ArtefactError         a saved table is missing, damaged or of another kind
    |  |- ExistsError        a saved artefact would be overwritten without permission
    |  `- DiskError          a file could not be written: the disk is full, read-only or broken
    |- BundleError           a saved model cannot be used
    |  `- UntrustedError     ... because nobody has vouched for it
    |- BusyError             another job is using the workspace
    `- ReportError           a report could not be made

Examples:
    >>> from lo2core import errors, open_bundle
    >>> try:
    ...     open_bundle("models/missing.joblib")
    ... except errors.Lo2Error as error:
    ...     print(type(error).__name__)
    BundleError
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_NAMES = 60
"""Most valid names that a sentence lists; LO2 has 54 test cases."""


class Lo2Error(Exception):
    """Base class of all errors that a user can cause or fix; `str(error)` is the message to show."""


class InputError(Lo2Error):
    """Logs, a path or an option cannot be used."""


class ArtefactError(Lo2Error):
    """A saved table is missing, damaged or of another kind."""


class ExistsError(ArtefactError):
    """A saved artefact would be overwritten, and `replace` was not given."""


class DiskError(ArtefactError):
    """A file could not be written, because the disk is full, read-only or broken."""


class BundleError(Lo2Error):
    """A saved model cannot be used."""


class UntrustedError(BundleError):
    """A saved model was not opened because nobody has vouched for it."""


class BusyError(Lo2Error):
    """Another job is using the workspace."""


class ReportError(Lo2Error):
    """A report could not be made."""


def choices(name: str, valid: Iterable[str]) -> str:
    """The second half of a message about an unknown name: the valid names, if not too many, and the closest of them."""
    names = sorted(valid)
    closest = get_close_matches(name, names, n=1)
    suggestion = f" Did you mean {closest[0]!r}?" if closest else ""
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return f"Valid names: {', '.join(names[:_MOST_NAMES]) or 'none'}{more}.{suggestion}"


def reason(error: BaseException) -> str:
    """The message of an error of another library as one line without a full stop, ready to be put into a sentence."""
    text = str(error).split("\n\nResolved plan")[0]
    return " ".join(text.split()).rstrip(".")
