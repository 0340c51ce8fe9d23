"""What a workspace holds, by kind and name: the space it uses, notes, renaming, deleting to a trash, restoring.

Predictions find their model by its SHA-256, so renaming, deleting and restoring a model breaks nothing for good. What
is deleted goes to `.trash/` of its workspace, of the models, or, for a workspace, of the folder that contains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from filelock import Timeout

from lo2core.base.config import models_dir
from lo2core.base.errors import ArtefactError, BusyError, ExistsError, InputError, choices
from lo2core.base.provenance import Manifest
from lo2core.base.text import plural
from lo2core.pipeline import lock
from lo2core.store import bundles, signing, trash
from lo2core.store.atomic import already_there, write_bytes_atomic, write_json_atomic
from lo2core.store.moves import Move, move_together
from lo2core.store.names import clean_name, given_name
from lo2core.store.notes import note_of, note_path, set_note
from lo2core.store.predictions import home_of, saved_names
from lo2core.store.trash import TRASH, Trashed, used_space
from lo2core.store.workspace import Workspace

MODEL, PREDICTION, SAMPLE, UPLOAD, EXPLANATION, WORKSPACE = KINDS = (
    "model",
    "prediction",
    "sample",
    "upload",
    "explanation",
    "workspace",
)
_PATIENCE_S = 0.5
_COMPARISON = "compare_"


@dataclass(frozen=True)
class Entry:
    """Something that can be renamed and deleted. path: where it is, relative to `folder`; along: what belongs to it."""

    kind: str
    name: str
    folder: Path
    path: str
    along: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return used_space(self.folder / self.path)

    @property
    def note(self) -> str:
        return note_of(self.folder, self.path)

    @property
    def paths(self) -> tuple[str, ...]:
        """All that is moved with it and exists, the path that counts for readers first."""
        return tuple(one for one in (self.path, *self.along, note_path(self.path)) if (self.folder / one).exists())


def entries(workspace: Workspace) -> list[Entry]:
    """All that can be managed in a workspace, its samples and the folder of models, and the workspace itself."""
    models = [_model(info.path) for info in bundles.bundles(models_dir())]
    predictions = [_prediction(*home_of(workspace, name), name) for name in saved_names(workspace)]
    samples = [_folder(SAMPLE, workspace, "samples", sample.root.name) for sample in workspace.samples()]
    uploads = [_folder(UPLOAD, workspace, "uploads", name) for name in _folders_in(workspace.root / "uploads")]
    found = [*models, *predictions, *samples, *uploads, *_explanations(workspace)]
    root = workspace.root.absolute()
    return [*found, *([Entry(WORKSPACE, str(workspace.root), root.parent, root.name)] if root.is_dir() else [])]


def chosen(workspace: Workspace, kind: str, name: str) -> Entry:
    """The entry of this kind and name; raises InputError if there is none."""
    if kind not in KINDS:
        raise InputError(f"There is no kind {kind!r}. {choices(kind, KINDS)}")
    if kind == WORKSPACE and workspace.is_at(name):
        name = str(workspace.root)
    by_name = {entry.name: entry for entry in entries(workspace) if entry.kind == kind}
    if name not in by_name:
        raise InputError(f"There is no {kind} {name!r}. {choices(name, by_name)}")
    return by_name[name]


def dependents(workspace: Workspace, entry: Entry) -> list[str]:
    """What needs this entry, as sentences; empty if nothing does."""
    match entry.kind:
        case "model":
            sha256 = bundles.claimed_sha256(entry.folder / entry.path)
            users = [name for name in saved_names(workspace) if sha256 and _made_by(workspace, name) == sha256]
            return [f"It made {', '.join(users)}, which cannot be explained without it."] if users else []
        case "prediction":
            return _comparisons_with(workspace, entry.name)
        case "sample":
            inside = [name for name in saved_names(workspace) if name.startswith(f"{entry.name}/")]
            own = [f"Its predictions go with it: {', '.join(inside)}."] if inside else []
            return own + [one for name in inside for one in _comparisons_with(workspace, name)]
        case "upload":
            unfinished = any((home.root / ".parts").exists() for home in (workspace, *workspace.samples()))
            return ["An unfinished load may still need it."] if unfinished else []
        case "workspace":
            trained = [one.name for one in bundles.bundles(models_dir()) if workspace.is_at(one.facts.get("workspace"))]
            inside = saved_names(workspace)
            own = [f"It contains {plural(len(inside), 'prediction')}, which go with it."] if inside else []
            return own + ([f"These models were trained in it: {', '.join(trained)}."] if trained else [])
    return []


def annotate(entry: Entry, text: str) -> None:
    """Replace the note about an entry; an empty text removes it."""
    set_note(entry.folder, entry.path, text)


def rename(workspace: Workspace, entry: Entry, name: str) -> str:
    """Rename an entry and what belongs to it; returns its new name.

    Raises `ExistsError` if the name is taken, `InputError` if it is not valid, and `BusyError` while a command writes.
    """
    new = _renamed(entry, name)
    with _free(workspace, entry):
        if entry.kind == MODEL:
            _rename_model(entry, new)
        else:
            moves = [(path, to) for path, to in _pairs(entry, new) if (entry.folder / path).exists()]
            move_together(entry.folder, moves)
    return new.name


def delete(workspace: Workspace, entry: Entry, *, even_if_used: bool = False) -> Trashed:
    """Move an entry to the trash. Raises ExistsError, which says what depends on it, unless `even_if_used` is true."""
    needed_by = dependents(workspace, entry)
    if needed_by and not even_if_used:
        raise ExistsError(
            f"The {entry.kind} {entry.name} was not deleted. {' '.join(needed_by)} Use --even-if-used to delete it."
        )
    with _free(workspace, entry):
        return trash.discard(entry.folder, entry.kind, entry.name, entry.paths)


def trashed(workspace: Workspace) -> list[Trashed]:
    """What can be restored: from the workspace, its samples, the models, and next to the workspace; newest first."""
    folders = [workspace.root, *(sample.root for sample in workspace.samples()), models_dir()]
    found = [entry for folder in folders for entry in trash.trashed(folder)]
    found += [entry for entry in trash.trashed(workspace.root.absolute().parent) if entry.kind == WORKSPACE]
    return sorted(found, key=lambda entry: entry.id, reverse=True)


def restore(workspace: Workspace, entry_id: str | None = None) -> Trashed:
    """Undo a deletion, the last one if no id is given. Raises `InputError` if there is nothing to restore."""
    found = trashed(workspace)
    if not found:
        raise InputError("The trash is empty: there is nothing to restore.")
    entry = found[0] if entry_id is None else trash.chosen(found, entry_id)
    trash.restore(entry)
    return entry


def _model(path: Path) -> Entry:
    return Entry(MODEL, path.stem, path.parent, path.name, (signing.manifest_path(path).name,))


def _prediction(home: Workspace, table: str, name: str) -> Entry:
    explained = home.explanations(table).relative_to(home.root).as_posix()
    return Entry(PREDICTION, name, home.root, home.path(table).name, (explained, note_path(explained)))


def _folder(kind: str, workspace: Workspace, below: str, name: str, prefix: str = "") -> Entry:
    return Entry(kind, prefix + name, workspace.root, f"{below}/{name}")


def _explanations(workspace: Workspace) -> list[Entry]:
    found = []
    for home in (workspace, *workspace.samples()):
        prefix = "" if home is workspace else f"{home.root.name}/"
        names = _folders_in(home.root / "explainability")
        found += [_folder(EXPLANATION, home, "explainability", name, prefix) for name in names]
    return found


def _folders_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())


def _made_by(workspace: Workspace, name: str) -> str | None:
    home, table = home_of(workspace, name)
    return home.metadata(table).get("bundle_sha256")


def _comparisons_with(workspace: Workspace, name: str) -> list[str]:
    found = [
        folder
        for folder in _folders_in(workspace.root / "explainability")
        if folder.startswith(_COMPARISON)
        and name in Workspace(workspace.root / "explainability" / folder).metadata("provenance").get("compared", ())
    ]
    return [f"It is compared in {', '.join(found)}."] if found else []


def _renamed(entry: Entry, name: str) -> Entry:
    """The entry under its new name."""
    sample, _, plain = name.rpartition("/")
    before = entry.name.rpartition("/")[0]
    if entry.kind in (PREDICTION, EXPLANATION) and sample in ("", before):
        prefix = f"{before}/" if before else ""
    elif sample:
        raise InputError(f"{name} is not a valid name: give it without a folder; renaming does not move anything.")
    else:
        prefix = ""
    match entry.kind:
        case "model":
            return _model(entry.folder / f"{clean_name(plain.removesuffix('.joblib'))}.joblib")
        case "prediction":
            return _prediction(Workspace(entry.folder), given_name(plain), prefix + plain)
        case "workspace":
            path = Path(entry.name).with_name(clean_name(plain))
            return Entry(WORKSPACE, str(path), entry.folder, path.name)
        case "explanation" if entry.path.startswith(f"explainability/{_COMPARISON}"):
            plain = plain if plain.startswith(_COMPARISON) else f"{_COMPARISON}{plain}"
    folder = entry.path.rpartition("/")[0]
    return Entry(entry.kind, prefix + plain, entry.folder, f"{folder}/{clean_name(plain, longest=125)}")


def _pairs(entry: Entry, new: Entry) -> list[Move]:
    ours, theirs = ((one.path, *one.along, note_path(one.path)) for one in (entry, new))
    return list(zip(ours, theirs, strict=True))


def _rename_model(entry: Entry, new: Entry) -> None:
    """Rename a model. A manifest contains the name: that of a signed model is signed again, others stay as they are."""
    old, path = entry.folder / entry.path, entry.folder / new.path
    for one in (path, signing.manifest_path(path)):
        if one.exists():
            raise already_there(one)
    staged, moves = f"{TRASH}/{uuid4().hex}", []
    manifest = signing.read_manifest(old)
    if manifest and bundles.state(old) is signing.BundleState.SIGNED:
        body: Manifest = {**manifest, "bundle": path.stem}
        body.pop("signature", None)
        write_json_atomic(entry.folder / staged / "manifest.json", signing.signed(body))
    elif signing.manifest_path(old).exists():
        write_bytes_atomic(entry.folder / staged / "manifest.json", signing.manifest_path(old).read_bytes())
    if (entry.folder / staged).exists():
        moves.append((f"{staged}/manifest.json", signing.manifest_path(path).name))
    # The manifest first: without its model it counts as nothing, so the model appears with it.
    moves.append((entry.path, new.path))
    if (entry.folder / note_path(entry.path)).exists():
        moves.append((note_path(entry.path), note_path(new.path)))
    move_together(entry.folder, moves, removed=[staged, signing.manifest_path(old).name])


@contextmanager
def _free(workspace: Workspace, entry: Entry) -> Iterator[None]:
    """Keep commands that write from starting meanwhile; raises `BusyError` while one runs."""
    homes = {lock.job_folder(workspace)}
    if entry.folder != workspace.root and entry.kind in (PREDICTION, EXPLANATION):
        homes.add(lock.job_folder(entry.folder))
    if entry.kind == SAMPLE:
        homes.add(lock.job_folder(entry.folder / entry.path))
    for folder in homes:
        if lock.is_running(folder, lock.read_job(folder)):
            raise BusyError(f"{lock.busy_with(folder)} Wait until it has ended, or cancel it.")
    folder = lock.job_folder(workspace)
    try:
        held = lock.acquired(folder / lock.LOCK, _PATIENCE_S)
    except Timeout:
        raise BusyError(f"{lock.busy_with(folder)} Wait until it has ended, or cancel it.") from None
    except OSError as error:
        raise ArtefactError(f"{workspace.root} cannot be changed: {error.strerror or error}.") from error
    try:
        yield
    finally:
        held.release()
