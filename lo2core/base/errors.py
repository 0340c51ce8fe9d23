"""What can go wrong, as one sentence a person can act on.

Lo2Error                 exit status 2 on the command line, a calm box on a page
|- InputError            the logs, a path or an option are not usable
|- ArtefactError         a saved table is missing, foreign or damaged
|  `- ExistsError        writing would replace something nobody asked to replace
|- BundleError           a saved model cannot be used
|  `- UntrustedError     ... because nobody has vouched for it yet
`- BusyError             another job holds the workspace

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


class Lo2Error(Exception):
    """Base of all errors a user can cause or mend; ``str(error)`` is the sentence to show."""


class InputError(Lo2Error):
    """The logs, a path or an option are not usable."""


class ArtefactError(Lo2Error):
    """A saved table is missing, foreign or damaged."""


class ExistsError(ArtefactError):
    """Writing would replace an existing artefact; the caller did not ask for that."""


class BundleError(Lo2Error):
    """A saved model cannot be used."""


class UntrustedError(BundleError):
    """A saved model is not unpickled because nobody has vouched for it."""


class BusyError(Lo2Error):
    """Another job holds the workspace."""


def choices(name: str, known: Iterable[str]) -> str:
    """The end of a message about a wrong name: what exists, and what was probably meant."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"There are: {', '.join(names) or 'none'}.{meant}"


def reason(error: Exception) -> str:
    text = str(error).split("\n\nResolved plan")[0]
    return " ".join(text.split()).rstrip(".")
