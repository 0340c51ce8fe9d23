"""Flagged incidents are grouped by cause: the same service, the same error codes, similar leading items."""

from __future__ import annotations

import polars as pl
import pytest
from helpers.explained import OK, Call, logs, sequence

from lo2core.base.schemas import ComparedGroups, GroupedIncidents, Groups
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.detect.units import count_unit, unit_of
from lo2core.explain.groups import Grouping, group_incidents, paired_groups


def fault(code: str, path: str) -> Call:
    return ("DEBUG", f"path = {path}"), ("DEBUG", "looked for it in vain"), ("ERROR", f"refused {code}")


NO_CLIENT, NO_USER, NO_PAGE = (
    fault("ERR12014", "/client/none"),
    fault("ERR12013", "/user/none"),
    fault("ERR11000", "/p"),
)
NORMALS = [sequence(f"run_{n % 3}", f"correct_{n}", [OK] * (4 + n)) for n in range(6)]


def grouping(faults: dict[tuple[str, str, str], list[Call]], recipe: Recipe | None = None) -> Grouping:
    """The groups of logs in which these sequences (run, folder, service) have these calls."""
    users = [sequence(f"run_{n % 3}", f"correct_{n}", [OK] * (4 + n), "user") for n in range(6)]
    faulty = [sequence(run, folder, calls, service) for (run, folder, service), calls in faults.items()]
    loaded = logs(pl.concat([*NORMALS, *users, *faulty]))
    recipe = recipe or Recipe()
    model, vec = train(count_unit(recipe.unit).source(loaded.items, loaded.sequences), recipe)
    scores = unit_of(model).predict(model, vec, loaded)
    frame = scores.lazy().collect().with_columns(pred_ano=~pl.col("normal"))
    found = group_incidents(model, vec, loaded, frame)
    Groups.validate(found.groups)
    GroupedIncidents.validate(found.incidents)
    return found


def together(found: Grouping) -> list[list[str]]:
    """The folders of each group."""
    rows = found.incidents.group_by("group").agg(pl.col("folder").sort())
    return sorted(rows["folder"].to_list())


@pytest.mark.parametrize(
    "recipe", [Recipe(), Recipe("Rarity"), Recipe("OutOfVocabulary", unit="event"), Recipe(items="templates")]
)
def test_the_same_fault_in_other_runs_is_one_group_whatever_the_detector(recipe: Recipe) -> None:
    faults = {("run_0", "a", "client"): [OK, NO_CLIENT], ("run_1", "b", "client"): [OK, OK, NO_CLIENT, NO_CLIENT]}
    found = grouping(faults | {("run_2", "c", "client"): [OK, NO_USER]}, recipe)
    assert together(found) == [["a", "b"], ["c"]]
    group = found.groups.filter(incidents=2).row(0, named=True)
    assert (group["service"], group["runs"], group["codes"]) == ("client", 2, ["ERR12014"])
    assert group["title"].startswith("/client/none → ERROR refused ERR12014")
    assert group["z_score"] == found.incidents.filter(group=group["group"])["z_score"].max()
    assert group["first"] is not None


def test_incidents_with_other_error_codes_are_never_together_however_alike_the_rest_is() -> None:
    same = tuple(("DEBUG", f"step {name}") for name in ("alpha", "beta", "gamma", "delta"))
    faults = {("run_0", "a", "client"): [(*same, NO_CLIENT[2])], ("run_0", "b", "client"): [(*same, NO_USER[2])]}
    assert together(grouping(faults)) == [["a"], ["b"]]


def test_the_same_message_in_another_service_is_another_group() -> None:
    faults = {("run_0", "a", "client"): [OK, NO_CLIENT], ("run_0", "b", "user"): [OK, NO_CLIENT]}
    assert together(grouping(faults)) == [["a"], ["b"]]


def test_incidents_without_a_new_message_are_grouped_by_what_there_is_more_of() -> None:
    faults = {("run_0", "a", "client"): [OK[:1]] * 300, ("run_1", "b", "client"): [OK[:1]] * 400}
    found = grouping(faults | {("run_2", "c", "client"): [OK[1:]] * 300})
    assert together(found) == [["a", "b"], ["c"]]


def test_where_nothing_is_flagged_there_is_no_group() -> None:
    found = grouping({})
    assert (found.groups.height, found.incidents.height) == (0, 0)


def test_groups_of_two_predictions_are_paired_by_cause() -> None:
    a = grouping({("run_0", "a", "client"): [OK, NO_CLIENT], ("run_0", "b", "client"): [OK, NO_USER]})
    b = grouping({("run_1", "c", "client"): [OK, NO_CLIENT, OK], ("run_1", "d", "client"): [OK, NO_PAGE]})
    found = paired_groups(a.groups, b.groups)
    ComparedGroups.validate(found)
    told = found.select("change", code=pl.col("title").str.extract(r"(ERR\d+)"))
    assert told.rows() == [("new", "ERR11000"), ("gone", "ERR12013"), ("in both", "ERR12014")]
    assert found.filter(change="in both").select("incidents_a", "incidents_b").row(0) == (1, 1)
