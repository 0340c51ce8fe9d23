"""The schema of every saved table: its key, columns, types and rules.

A table is saved as `<name>.parquet` in the workspace; `Workspace.path` gives its path.

Examples:
    >>> from lo2core import Workspace, schemas
    >>> schemas.Counts.primary_key()
    ['seq_id', 'kind', 'message_id']
    >>> Workspace("demo/result/sample").read(schemas.Counts).columns
    ['seq_id', 'kind', 'message_id', 'n']
"""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from lo2core.base.table import Bool, Datetime, Enum, Float64, Int32, Int64, List, String, Table, UInt64


class _Identity(Table):
    """Columns that say which sequence a row belongs to; `seq_id` is never parsed back into them."""

    seq_id = String()
    """`run__folder__service`, with `__w000` appended for windows."""
    run = String()
    folder = String()
    """Name of the folder: the test case, and the repetition where there is one."""
    test_case = String()
    repetition = Int32(nullable=True)
    """Number of the repetition; null for the first one."""
    window = Int32(nullable=True)
    """Number of the window, from 0; null where test cases are not cut."""
    service = String()
    """Short name, `client` instead of `light-oauth2-oauth2-client-1`."""
    normal = Bool(nullable=True)
    """Whether the test case is normal; null where this is unknown."""
    anomaly = Bool(nullable=True)
    """The opposite of `normal`; null where this is unknown."""


INCIDENT_KEY = ("run", "folder", "window")
"""The columns that name an incident, which is investigated as a whole: all sequences that share their values."""


class Events(_Identity):
    """One row per log event: its first line, and the continuation lines folded into it."""

    seq_id = String(primary_key=True)
    line_no = Int64(primary_key=True, min=1)
    """Number of the first line in its file, from 1."""
    m_message = String()
    """Text after the header, with the continuation lines below."""
    m_timestamp = Datetime(nullable=True)
    """UTC; null where the line has no usable time."""
    level = String(nullable=True)
    thread = String(nullable=True)
    logger = String(nullable=True)
    method = String(nullable=True)
    correlation_id = String(nullable=True)
    """Id of the request that the event belongs to."""
    n_lines = Int32(min=1)
    """Number of lines: the first one and its continuation lines."""
    line_offsets = List(Int32(), nullable=True, added=True)
    """Distance of each continuation line from the first line; null where no blank lines were dropped in between."""
    source = String()
    """Name of the folder or archive that was loaded, and the path of the file in it."""
    message_id = UInt64()
    """Hash of the masked first line, see `Messages`."""


class Sequences(_Identity):
    """One row per sequence, or window of one; also for sequences without events."""

    seq_id = String(primary_key=True)
    start_time = Datetime(nullable=True)
    """Time of the first event."""
    end_time = Datetime(nullable=True)
    """Time of the last event."""
    events = Int64(min=0)
    lines = Int64(min=0)
    bytes = Int64(min=0)


class Ledger(Table):
    """One row per file that was found: lines = events + continuations + orphans + blank + skipped + not_chosen."""

    source = String(primary_key=True)
    """Name of the folder or archive that was loaded, and the path of the file in it."""
    status = Enum(["read", "ignored", "not chosen", "empty"])
    run = String(nullable=True)
    folder = String(nullable=True)
    service = String(nullable=True)
    bytes = Int64(min=0)
    lines = Int64(min=0)
    events = Int64(min=0)
    continuations = Int64(min=0)
    """Lines that were folded into the event above them."""
    orphans = Int64(min=0)
    """Continuation lines in front of the first event."""
    blank = Int64(min=0)
    skipped = Int64(min=0)
    """Lines left out by `--skip-init-lines`."""
    not_chosen = Int64(min=0, nullable=True, added=True)
    """Lines outside of `--since` and `--until`. A log is not chosen if this is true of all lines of its test case."""
    invalid_bytes = Int64(min=0)
    """Bytes that are not UTF-8; they are kept in a readable form."""
    dated = Bool()
    """Whether the day is known; without it, times are on 1970-01-01."""
    format = String(nullable=True, added=True)
    """What the log was read as: wrappers and format, outermost first; null if no line is of a known format."""
    explained = Int64(nullable=True, added=True)
    """Events that are of a known format; the others only begin with a time stamp."""
    unindented = Int64(nullable=True, added=True)
    """Continuations that are not indented."""
    leveled = Int64(nullable=True, added=True)
    """Events with a level."""
    timed = Int64(nullable=True, added=True)
    """Events with a time."""
    unknown = String(nullable=True, added=True)
    """The beginning of the first line that belongs to no event, or of which only the time stamp is known."""
    notes = String(nullable=True, added=True)
    """What was assumed about times: the year, names of zones that are not used, that no line has a time."""
    damaged = String(nullable=True, added=True)
    """Which of its compressed files are damaged, and how far they were read; null if none is."""

    rules: ClassVar = {
        "adds_up": pl.col("lines")
        == pl.sum_horizontal("events", "continuations", "orphans", "blank", "skipped", "not_chosen")
    }


class Files(Table):
    """One row per file that a load has found, as it was then: by it `load --append` sees what is new or has changed."""

    source = String(primary_key=True)
    root = String()
    """The path that was given to the load."""
    bytes = Int64(min=0)
    """Size of the file, with its rotated pieces."""
    modified = Int64()
    """When the file, or the archive that contains it, was last changed, in nanoseconds since 1970."""


class Messages(Table):
    """One row per distinct item: a masked first line, a masked line of a stack trace, or a request kind."""

    message_id = UInt64(primary_key=True)
    """Hash of the masked text: the same text has the same id in every run and workspace."""
    kind = Enum(["message", "trace", "request"])
    text = String()
    """The masked text; a request kind has the texts of its messages, one per line."""
    members = List(UInt64(), nullable=True)
    """Only for request kinds: their sorted message ids."""


class Counts(Table):
    """How often a sequence contains an item: the event count matrix in long form."""

    seq_id = String(primary_key=True)
    kind = Enum(["message", "trace", "request"], primary_key=True)
    message_id = UInt64(primary_key=True)
    n = Int64(min=1)
    """Occurrences of the item in the sequence."""


class EnrichedEvents(Events):
    """Events with the columns that the enhancers derive from their first line."""

    e_message_normalized = String()
    """The masked message."""
    e_words = List(String())
    """Words of the masked message."""
    e_trigrams = List(String())
    """Sequences of three characters of the masked message."""
    e_words_len = Int32(min=0)
    """Number of words."""
    e_chars_len = Int32(min=0)
    """Number of characters of `m_message`."""
    e_event_id_len = Int32(min=0)
    """1 for each event, so that sums count events."""
    e_event_drain_id = UInt64()
    """Hash of the template."""
    e_template = String()
    """The template, see `Templates`."""


class Predictions(_Identity):
    """One row per scored sequence. Predictions of single events have `line_no`, too."""

    seq_id = String(primary_key=True)
    score = Float64(nullable=True)
    """Higher is more anomalous; null where `status` is not "scored"."""
    z_score = Float64(nullable=True)
    """The score compared with held-out normals of the service: 0 is their mean, 1 one spread above it."""
    p_value = Float64(nullable=True, min=0, max=1)
    """(1 + held-out normals that score at least as high) / (1 + all of them)."""
    threshold = Float64()
    """The z-score from which on a row is an alarm."""
    pred_ano = Bool(nullable=True)
    """Whether the row is an alarm: `z_score >= threshold`."""
    rank = Int64(nullable=True, min=1)
    """Position by z-score, 1 is the worst; equal z-scores share a rank."""
    status = Enum(["scored", "not read", "unknown service"], nullable=True, added=True)
    """Why there is no score: no line of the log is of a known format, or the bundle does not know the service."""


class EventPredictions(Predictions):
    """One row per scored event."""

    seq_id = String(primary_key=True)
    line_no = Int64(primary_key=True, min=1)


class ExplainedItems(Table):
    """One row per item that contributed to the score of a sequence; rank 1 explains most, see `messages.salience`."""

    seq_id = String(primary_key=True)
    service = String()
    rank = Int64(min=1)
    feature = UInt64(primary_key=True)
    kind = Enum(["message", "trace", "request", "template", "word", "trigram"])
    item = String()
    """The whole text; a request kind has the texts of its messages, one per line."""
    title = String()
    """The text as one line."""
    here = Float64(min=0)
    normals = List(Float64())
    """Counts in the nearest normals, nearest first."""
    held_by = Int64(min=0)
    n_normals = Int64(min=0)
    """Training normals of the service; `held_by` of them contain the item."""
    contribution = Float64()
    """Part of the score, as the detector attributes it; may be negative."""
    share = Float64(min=0, max=1)
    known = Bool()
    """False for an item outside the vocabulary."""


class NearestNormals(Table):
    """One row per normal sequence that is among the nearest neighbours of a scored sequence; place 1 is the nearest."""

    seq_id = String(primary_key=True)
    place = Int64(primary_key=True, min=1)
    normal = String()
    run = String(nullable=True)
    folder = String(nullable=True)
    distance = Float64(min=0)


class ExplainedLines(Table):
    """Raw lines that contain the explained items (`place` 1, 2, ...), and lines around them (`place` null)."""

    seq_id = String(primary_key=True)
    service = String()
    line_no = Int64(primary_key=True, min=1)
    event_line = Int64(min=1)
    """Line number of the event that the line belongs to; differs from `line_no` for lines of a stack trace only."""
    place = Int64(nullable=True, min=1)
    near = Int64(min=1)
    """For a line around: the place of the explained line next to it; otherwise equal to `place`."""
    m_timestamp = Datetime(nullable=True)
    level = String(nullable=True)
    text = String()
    trace = String(nullable=True)
    """Continuation lines of the event; null if it has none."""
    correlation_id = String(nullable=True)
    source = String()
    share = Float64(min=0)
    """Share of the score of the items that this line is the first to show."""
    items = List(String())
    """Explained items that the event contains; for a line around, those shown by the explained line next to it."""


class ExplainedRequests(Table):
    """One row per request kind of a sequence that no normal of its service contains; the most frequent first."""

    seq_id = String(primary_key=True)
    service = String()
    feature = UInt64(primary_key=True)
    item = String()
    title = String()
    n = Int64(min=1)
    n_normals = Int64(min=0)
    example = String(nullable=True)
    """Correlation id of the first request of this kind."""


class DiffStretches(Table):
    """A sequence aligned to a normal one, message by message: stretches in order, each common, missing or extra."""

    seq_id = String()
    normal = String()
    stretch = Int64(primary_key=True, min=0)
    change = Enum(["common", "missing", "extra"])
    n = Int64(min=1)
    here_from = Int64(min=0)
    """Position of the first event of the stretch in the sequence, from 0."""
    normal_from = Int64(min=0)
    """Position of the first event of the stretch in the normal sequence, from 0."""


class Feedback(Table):
    """Append only: one row each time a person marks something as known benign, or undoes a mark."""

    mark = String(primary_key=True)
    """Id of the row."""
    action = Enum(["benign", "undo"])
    undoes = String(nullable=True)
    """For an undo: the mark that it takes back."""
    kind = Enum(["item", "template", "request", "sequence"])
    target = String()
    """Id of the item (decimal), or the seq_id."""
    service = String(nullable=True)
    """Null for all services."""
    text = String()
    reason = String(min_length=1)
    who = String()
    when = Datetime()


class Groups(Table):
    """One row per group of flagged incidents with the same cause, see `explain.groups`; group 1 has the largest z."""

    group = Int64(primary_key=True, min=1)
    service = String()
    """The worst service of all its incidents."""
    title = String()
    """Its leading item as one line."""
    codes = List(String())
    """Error codes and constants in the leading items; the same in all its incidents."""
    items = List(UInt64())
    """The leading messages that most of its incidents have: their ids, sorted."""
    requests = List(UInt64())
    """The request kinds with such a message that most of its incidents have: their ids, sorted."""
    incidents = Int64(min=1)
    runs = Int64(min=1)
    first = Datetime(nullable=True)
    """Start of the first incident; null where no line has a time."""
    last = Datetime(nullable=True)
    z_score = Float64()
    """The largest z-score of its incidents."""


class GroupedIncidents(Table):
    """One row per flagged incident: its worst service and its group; the worst incident first."""

    run = String()
    folder = String()
    window = Int32(nullable=True)
    test_case = String()
    service = String()
    seq_id = String(primary_key=True)
    """The sequence of the worst service."""
    z_score = Float64()
    group = Int64(min=1)


class ComparedGroups(Table):
    """One row per group of flagged incidents of two predictions: new (in B only), gone (in A only), or in both."""

    change = Enum(["new", "gone", "in both"])
    service = String()
    title = String()
    """The leading item as one line; of B, if the group is in both."""
    group_a = Int64(nullable=True, min=1)
    """Its number in A; null if it is not in A."""
    incidents_a = Int64(min=0)
    z_score_a = Float64(nullable=True)
    group_b = Int64(nullable=True, min=1)
    incidents_b = Int64(min=0)
    z_score_b = Float64(nullable=True)


class Increased(Table):
    """One row per message whose rate differs between some sequences and others, such as the normals.

    First new and vanished ones, then the most significant differences; see `explain.increase`.
    """

    message_id = UInt64(primary_key=True)
    change = Enum(["new", "vanished", "more", "less"])
    title = String()
    """The text as one line."""
    item = String()
    """The whole text."""
    n = Int64(min=0)
    """Occurrences."""
    expected = Float64(min=0)
    """Occurrences at the usual rate."""
    rate = Float64(min=0)
    """Occurrences in 1,000 events."""
    usual_rate = Float64(min=0)
    """The same of the other sequences."""
    p_value = Float64(min=0, max=1)
    """Of the difference, corrected for the number of messages."""


class Triage(Table):
    """Append only: one row each time a person judges an incident or a group of incidents, or undoes that."""

    entry = String(primary_key=True)
    """Id of the row."""
    action = Enum(["set", "undo"])
    undoes = String(nullable=True)
    """For an undo: the entry that it takes back."""
    kind = Enum(["incident", "group"])
    run = String(nullable=True)
    """Of an incident; null for a group."""
    folder = String(nullable=True)
    window = Int32(nullable=True)
    service = String()
    """Of the group, or of the group of the incident, as in `Groups`; also the next three columns."""
    codes = List(String())
    items = List(UInt64())
    requests = List(UInt64())
    title = String()
    """What was judged, as one line."""
    state = Enum(["new", "seen", "known cause"])
    cause = String(nullable=True)
    """The name of a known cause; null for the other states."""
    note = String()
    who = String()
    when = Datetime()


class _Evaluated(Table):
    """Key of an evaluation: a recipe or trivial baseline on some data; evaluating it again replaces its rows."""

    evaluation = String(primary_key=True)
    split = Enum(["by run", "fault left out", "long normals"], primary_key=True)


class Evaluation(_Evaluated):
    """One row per evaluation (detector or trivial baseline), split and level; all figures are of held-out runs."""

    level = Enum(["event", "sequence", "incident"], primary_key=True)
    kind = Enum(["detector", "shortcut"])
    detector = String()
    items = String(nullable=True)
    weighting = String(nullable=True)
    unit = String(nullable=True)
    window = Float64(nullable=True)
    """Seconds; null for whole test cases."""
    apart = List(String())
    """Test cases that are not included in the figures."""
    runs = Int64(min=0)
    faulty = Int64(min=0)
    normal = Int64(min=0)
    auroc = Float64(nullable=True)
    auroc_low = Float64(nullable=True)
    auroc_high = Float64(nullable=True)
    average_precision = Float64(nullable=True)
    recall_at_1 = Float64(nullable=True)
    """Recall at 1 % false alarms; the next three columns: at 5 %, with its 95 % interval."""
    recall_at_5 = Float64(nullable=True)
    recall_at_5_low = Float64(nullable=True)
    recall_at_5_high = Float64(nullable=True)
    precision_at_10 = Float64(nullable=True)
    precision_at_50 = Float64(nullable=True)
    precision = Float64(nullable=True)
    """This and the following columns: at the threshold of each fold."""
    recall = Float64(nullable=True)
    f1 = Float64(nullable=True)
    true_negatives = Int64(nullable=True)
    false_positives = Int64(nullable=True)
    false_negatives = Int64(nullable=True)
    true_positives = Int64(nullable=True)
    false_alarm_rate = Float64(nullable=True)
    false_alarm_low = Float64(nullable=True)
    false_alarm_high = Float64(nullable=True)
    budget = Float64(nullable=True)
    threshold = Float64(nullable=True)
    """Median over the folds, as a z-score."""
    estimated = Bool(nullable=True)
    """Whether a fold had too few normals for the alert budget."""
    psi = Float64(nullable=True)
    right_service = Float64(nullable=True)
    """Share of detected faults whose worst service is the affected one; null if the affected services are unknown."""
    note = String()
    data_fingerprint = String(nullable=True)
    evaluated_at = String()


class EvaluationCurves(_Evaluated):
    """Points of the ROC curve (x false alarm rate, y recall) and precision-recall curve (x recall, y precision)."""

    level = Enum(["event", "sequence", "incident"], primary_key=True)
    curve = Enum(["roc", "precision-recall"], primary_key=True)
    point = Int64(primary_key=True, min=0)
    x = Float64(min=0, max=1)
    y = Float64(min=0, max=1)
    threshold = Float64(nullable=True)


class EvaluationFaults(_Evaluated):
    """One row per test case and service, and one per test case with the service "any", for the whole incident."""

    test_case = String(primary_key=True)
    service = String(primary_key=True)
    normal = Bool()
    apart = Bool()
    n = Int64(min=1)
    alarms = Int64(min=0)
    share = Float64(min=0, max=1)
    """alarms / n: the recall of a faulty test case, the false alarm rate of a normal one."""
    named = Int64(min=0)
    """Alarms in which this service is the worst; for "any": in which the affected service is the worst."""
    concerned = Bool(nullable=True)
    """Whether the fault affects this service; null if unknown."""


# Comparisons: the tables of `Comparison.frames`, kept under `explainability/compare_<a>_<b>/`. A is the first
# prediction, B the second one; differences are B - A.


class ComparedProvenance(Table):
    """One row per fact and prediction: how each prediction was made."""

    fact = String(primary_key=True)
    prediction = String(primary_key=True)
    value = String()
    """As text for people; "not recorded" if the metadata does not say."""
    differs = Bool()
    """Whether the predictions differ in this fact."""


class ComparedRates(Table):
    """One row per prediction: how much it flags."""

    prediction = String(primary_key=True)
    rows = Int64(min=0)
    """Scored sequences, or events if single events were scored."""
    flagged = Int64(min=0)
    """Flagged rows."""
    incidents = Int64(min=0)
    flagged_incidents = Int64(min=0)
    """Incidents with a flagged row."""
    not_fully_scored = Int64(min=0)
    """Incidents without a flagged row, but with a row that has no score: they count as neither."""
    alert_rate = Float64(nullable=True, min=0, max=1)
    """flagged_incidents / (incidents - not_fully_scored); null if all are not fully scored."""


class ComparedTestCases(Table):
    """One row per test case and service: the median z-score of both sides."""

    test_case = String(primary_key=True)
    service = String(primary_key=True)
    z_a = Float64(nullable=True)
    n_a = Int64(min=0)
    """Rows of A; 0 if its logs do not contain the test case and service."""
    z_b = Float64(nullable=True)
    n_b = Int64(min=0)
    difference = Float64(nullable=True)


class ComparedIncidents(Table):
    """One row per test case and service that only one side flags."""

    test_case = String(primary_key=True)
    service = String(primary_key=True)
    z = Float64(nullable=True)
    """Largest z-score on the side that flags it."""
    n = Int64(min=1)
    """Flagged rows."""
    change = Enum(["new", "gone", "not in A", "not in B"])
    """new: flagged in B only; gone: in A only; "not in ...": the logs of the other side do not contain it."""


class ComparedItems(Table):
    """One row per message, trace line or request kind that only one side's logs contain."""

    message_id = UInt64(primary_key=True)
    kind = Enum(["message", "trace", "request"])
    title = String()
    """The text as one line."""
    item = String()
    """The whole text."""
    n = Int64(min=1)
    """Occurrences."""
    sequences = Int64(min=1)
    """Sequences that contain it."""
    change = Enum(["new", "vanished"])
    """new: in B only; vanished: in A only."""


class ComparedShifts(Table):
    """One row per service and one for "all services": population stability index (PSI) of B against A."""

    service = String(primary_key=True)
    scores = Float64(nullable=True, min=0)
    """PSI of the z-scores; null with too few rows."""
    items = Float64(nullable=True, min=0)
    """PSI of the message frequencies; null if items were not compared."""


class ComparedRecall(Table):
    """One row per faulty test case and prediction: the share of flagged incidents."""

    test_case = String(primary_key=True)
    prediction = String(primary_key=True)
    recall = Float64(nullable=True, min=0, max=1)
    n = Int64(min=1)
    """Faulty incidents that are flagged or fully scored."""
    difference = Float64(nullable=True, min=-1, max=1)
    """Recall minus the recall of A."""


class ComparedPairs(_Identity):
    """One row per sequence (or event) that both predictions contain, with both scores."""

    line_no = Int64(nullable=True, min=1)
    """Line of a scored event; null if sequences were scored."""
    score_a = Float64(nullable=True)
    z_a = Float64(nullable=True)
    flagged_a = Bool(nullable=True)
    score_b = Float64(nullable=True)
    z_b = Float64(nullable=True)
    flagged_b = Bool(nullable=True)
    change = Enum(["flagged by neither", "no longer flagged", "now flagged", "flagged by both"], nullable=True)
    """"now flagged" is flagged by B only; null if either side has no score."""

    rules: ClassVar = {"one_row_each": ~pl.struct("seq_id", "line_no").is_duplicated()}


class ComparedFlips(ComparedPairs):
    """The pairs that only one side flags, largest absolute difference first."""

    difference = Float64(nullable=True)
    """z_b - z_a."""


class ComparedMovers(ComparedPairs):
    """The pairs whose rank changed most, largest change first."""

    rank_a = Float64(min=1)
    """Rank by z-score among the pairs with both scores; 1 is the worst, ties share their mean rank."""
    rank_b = Float64(min=1)
    moved = Float64()
    """rank_a - rank_b: positive if B ranks it as worse."""


class ComparedMetrics(Table):
    """One row per metric on labelled incidents; values are null where the metric is undefined."""

    metric = String(primary_key=True)
    a = Float64(nullable=True)
    b = Float64(nullable=True)
    difference = Float64(nullable=True)
    low = Float64(nullable=True)
    """95 % interval of the difference by a paired bootstrap over runs; null for fewer than five runs."""
    high = Float64(nullable=True)


class ComparedAgreement(Table):
    """One row per figure: n, spearman, kendall, kappa of the pairs, and only_a, only_b, p_value of McNemar's test."""

    figure = String(primary_key=True)
    value = Float64(nullable=True)
    """Null where the figure is undefined."""


# Explanations: the tables of `Explanation.frames` that are not declared above, and those of a whole prediction, kept
# under `explainability/<prediction>/`.


class ExplainedServices(Table):
    """One row per service of an explained incident, worst first."""

    seq_id = String(primary_key=True)
    service = String()
    score = Float64(nullable=True)
    """Higher is more anomalous; null where the model does not know the service."""
    z_score = Float64(nullable=True)
    p_value = Float64(nullable=True, min=0, max=1)
    threshold = Float64()
    """The z-score from which on a service is flagged."""
    pred_ano = Bool(nullable=True)
    """Whether the service is flagged."""
    words = String()
    """The score compared with held-out normals of the service, in words."""


class FirstEvents(Table):
    """One row per explained service, in time order: its first event with an item that no training normal contains."""

    m_timestamp = Datetime(nullable=True)
    service = String()
    """As the model calls it; empty if it has one detector for all services."""
    seq_id = String(primary_key=True)
    line_no = Int64(min=1)
    level = String(nullable=True)
    text = String()
    """The raw line that contains the item."""
    title = String()
    """The item as one line."""
    known_to_normals = Bool()
    """True where normals contain all items of the service; the event then has one with a large share of the score."""


class FalsePositives(Predictions):
    """One row per flagged sequence that is normal, worst first."""

    seq_id = String(primary_key=True)
    line_no = Int64(nullable=True, min=1)
    """Of scored events: the worst event of the sequence; otherwise null."""
    top_item = String(nullable=True)
    """The item with the largest share of the score, as one line; null if the sequence was not explained."""


class SharedItems(Table):
    """One row per item that is among the five top items of false positives; the most frequent first."""

    service = String()
    title = String()
    """The item as one line."""
    sequences = Int64(min=1)
    """Number of false positives that have the item among their five top items."""
    mean_share = Float64(min=0, max=1)
    """Mean share of the scores of these sequences."""
    examples = List(String())
    """Their seq_ids."""
