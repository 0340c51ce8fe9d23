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

import dataframely as dy
import polars as pl


class _Identity(dy.Schema):
    """Columns that say which sequence a row belongs to; `seq_id` is never parsed back into them."""

    seq_id = dy.String()
    """`run__folder__service`, with `__w000` appended for windows."""
    run = dy.String()
    folder = dy.String()
    """Name of the folder: the test case, and the repetition where there is one."""
    test_case = dy.String()
    repetition = dy.Int32(nullable=True)
    """Number of the repetition; null for the first one."""
    window = dy.Int32(nullable=True)
    """Number of the window, from 0; null where test cases are not cut."""
    service = dy.String()
    """Short name, `client` instead of `light-oauth2-oauth2-client-1`."""
    normal = dy.Bool(nullable=True)
    """Whether the test case is normal; null where this is unknown."""
    anomaly = dy.Bool(nullable=True)
    """The opposite of `normal`; null where this is unknown."""


INCIDENT_KEY = ("run", "folder", "window")
"""The columns that name an incident, which is investigated as a whole: all sequences that share their values."""


class Events(_Identity):
    """One row per log event: its first line, and the continuation lines folded into it."""

    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(primary_key=True, min=1)
    """Number of the first line in its file, from 1."""
    m_message = dy.String()
    """Text after the header, with the continuation lines below."""
    m_timestamp = dy.Datetime(time_unit="ms", nullable=True)
    """UTC; null where the line has no usable time."""
    level = dy.String(nullable=True)
    thread = dy.String(nullable=True)
    logger = dy.String(nullable=True)
    method = dy.String(nullable=True)
    correlation_id = dy.String(nullable=True)
    """Id of the request that the event belongs to."""
    n_lines = dy.Int32(min=1)
    """Number of lines: the first one and its continuation lines."""
    line_offsets = dy.List(dy.Int32(), nullable=True, metadata={"added": True})
    """Distance of each continuation line from the first line; null where no blank lines were dropped in between."""
    source = dy.String()
    """Name of the folder or archive that was loaded, and the path of the file in it."""
    message_id = dy.UInt64()
    """Hash of the masked first line, see `Messages`."""


class Sequences(_Identity):
    """One row per sequence, or window of one; also for sequences without events."""

    seq_id = dy.String(primary_key=True)
    start_time = dy.Datetime(time_unit="ms", nullable=True)
    """Time of the first event."""
    end_time = dy.Datetime(time_unit="ms", nullable=True)
    """Time of the last event."""
    events = dy.Int64(min=0)
    lines = dy.Int64(min=0)
    bytes = dy.Int64(min=0)


class Ledger(dy.Schema):
    """One row per file that was found: lines = events + continuations + orphans + blank + skipped + not_chosen."""

    source = dy.String(primary_key=True)
    """Name of the folder or archive that was loaded, and the path of the file in it."""
    status = dy.Enum(["read", "ignored", "not chosen", "empty"])
    run = dy.String(nullable=True)
    folder = dy.String(nullable=True)
    service = dy.String(nullable=True)
    bytes = dy.Int64(min=0)
    lines = dy.Int64(min=0)
    events = dy.Int64(min=0)
    continuations = dy.Int64(min=0)
    """Lines that were folded into the event above them."""
    orphans = dy.Int64(min=0)
    """Continuation lines in front of the first event."""
    blank = dy.Int64(min=0)
    skipped = dy.Int64(min=0)
    """Lines left out by `--skip-init-lines`."""
    not_chosen = dy.Int64(min=0, nullable=True, metadata={"added": True})
    """Lines outside of `--since` and `--until`. A log is not chosen if this is true of all lines of its test case."""
    invalid_bytes = dy.Int64(min=0)
    """Bytes that are not UTF-8; they are kept in a readable form."""
    dated = dy.Bool()
    """Whether the day is known; without it, times are on 1970-01-01."""
    format = dy.String(nullable=True, metadata={"added": True})
    """What the log was read as: wrappers and format, outermost first; null if no line is of a known format."""
    explained = dy.Int64(nullable=True, metadata={"added": True})
    """Events that are of a known format; the others only begin with a time stamp."""
    unindented = dy.Int64(nullable=True, metadata={"added": True})
    """Continuations that are not indented."""
    leveled = dy.Int64(nullable=True, metadata={"added": True})
    """Events with a level."""
    timed = dy.Int64(nullable=True, metadata={"added": True})
    """Events with a time."""
    unknown = dy.String(nullable=True, metadata={"added": True})
    """The beginning of the first line that belongs to no event, or of which only the time stamp is known."""
    notes = dy.String(nullable=True, metadata={"added": True})
    """What was assumed about times: the year, names of zones that are not used, that no line has a time."""
    damaged = dy.String(nullable=True, metadata={"added": True})
    """Which of its compressed files are damaged, and how far they were read; null if none is."""

    @dy.rule()
    def adds_up(cls) -> pl.Expr:
        return pl.col("lines") == pl.sum_horizontal(
            "events", "continuations", "orphans", "blank", "skipped", "not_chosen"
        )


class Files(dy.Schema):
    """One row per file that a load has found, as it was then: by it `load --append` sees what is new or has changed."""

    source = dy.String(primary_key=True)
    root = dy.String()
    """The path that was given to the load."""
    bytes = dy.Int64(min=0)
    """Size of the file, with its rotated pieces."""
    modified = dy.Int64()
    """When the file, or the archive that contains it, was last changed, in nanoseconds since 1970."""


class Messages(dy.Schema):
    """One row per distinct item: a masked first line, a masked line of a stack trace, or a request kind."""

    message_id = dy.UInt64(primary_key=True)
    """Hash of the masked text: the same text has the same id in every run and workspace."""
    kind = dy.Enum(["message", "trace", "request"])
    text = dy.String()
    """The masked text; a request kind has the texts of its messages, one per line."""
    members = dy.List(dy.UInt64(), nullable=True)
    """Only for request kinds: their sorted message ids."""


class Counts(dy.Schema):
    """How often a sequence contains an item: the event count matrix in long form."""

    seq_id = dy.String(primary_key=True)
    kind = dy.Enum(["message", "trace", "request"], primary_key=True)
    message_id = dy.UInt64(primary_key=True)
    n = dy.Int64(min=1)
    """Occurrences of the item in the sequence."""


class EnrichedEvents(Events):
    """Events with the columns that the enhancers derive from their first line."""

    e_message_normalized = dy.String()
    """The masked message."""
    e_words = dy.List(dy.String())
    """Words of the masked message."""
    e_trigrams = dy.List(dy.String())
    """Sequences of three characters of the masked message."""
    e_words_len = dy.Int32(min=0)
    """Number of words."""
    e_chars_len = dy.Int32(min=0)
    """Number of characters of `m_message`."""
    e_event_id_len = dy.Int32(min=0)
    """1 for each event, so that sums count events."""
    e_event_drain_id = dy.UInt64()
    """Hash of the template."""
    e_template = dy.String()
    """The template, see `Templates`."""


class Predictions(_Identity):
    """One row per scored sequence. Predictions of single events have `line_no`, too."""

    seq_id = dy.String(primary_key=True)
    score = dy.Float64(nullable=True)
    """Higher is more anomalous; null where `status` is not "scored"."""
    z_score = dy.Float64(nullable=True)
    """The score compared with held-out normals of the service: 0 is their mean, 1 one spread above it."""
    p_value = dy.Float64(nullable=True, min=0, max=1)
    """(1 + held-out normals that score at least as high) / (1 + all of them)."""
    threshold = dy.Float64()
    """The z-score from which on a row is an alarm."""
    pred_ano = dy.Bool(nullable=True)
    """Whether the row is an alarm: `z_score >= threshold`."""
    rank = dy.Int64(nullable=True, min=1)
    """Position by z-score, 1 is the worst; equal z-scores share a rank."""
    status = dy.Enum(["scored", "not read", "unknown service"], nullable=True, metadata={"added": True})
    """Why there is no score: no line of the log is of a known format, or the bundle does not know the service."""


class EventPredictions(Predictions):
    """One row per scored event."""

    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(primary_key=True, min=1)


class ExplainedItems(dy.Schema):
    """One row per item that contributed to the score of a sequence; rank 1 explains most, see `messages.salience`."""

    seq_id = dy.String(primary_key=True)
    service = dy.String()
    rank = dy.Int64(min=1)
    feature = dy.UInt64(primary_key=True)
    kind = dy.Enum(["message", "trace", "request", "template", "word", "trigram"])
    item = dy.String()
    """The whole text; a request kind has the texts of its messages, one per line."""
    title = dy.String()
    """The text as one line."""
    here = dy.Float64(min=0)
    normals = dy.List(dy.Float64())
    """Counts in the nearest normals, nearest first."""
    held_by = dy.Int64(min=0)
    n_normals = dy.Int64(min=0)
    """Training normals of the service; `held_by` of them contain the item."""
    contribution = dy.Float64()
    """Part of the score, as the detector attributes it; may be negative."""
    share = dy.Float64(min=0, max=1)
    known = dy.Bool()
    """False for an item outside the vocabulary."""


class NearestNormals(dy.Schema):
    """One row per normal sequence that is among the nearest neighbours of a scored sequence; place 1 is the nearest."""

    seq_id = dy.String(primary_key=True)
    place = dy.Int64(primary_key=True, min=1)
    normal = dy.String()
    run = dy.String(nullable=True)
    folder = dy.String(nullable=True)
    distance = dy.Float64(min=0)


class ExplainedLines(dy.Schema):
    """Raw lines that contain the explained items (`place` 1, 2, ...), and lines around them (`place` null)."""

    seq_id = dy.String(primary_key=True)
    service = dy.String()
    line_no = dy.Int64(primary_key=True, min=1)
    event_line = dy.Int64(min=1)
    """Line number of the event that the line belongs to; differs from `line_no` for lines of a stack trace only."""
    place = dy.Int64(nullable=True, min=1)
    near = dy.Int64(min=1)
    """For a line around: the place of the explained line next to it; otherwise equal to `place`."""
    m_timestamp = dy.Datetime(time_unit="ms", nullable=True)
    level = dy.String(nullable=True)
    text = dy.String()
    trace = dy.String(nullable=True)
    """Continuation lines of the event; null if it has none."""
    correlation_id = dy.String(nullable=True)
    source = dy.String()
    share = dy.Float64(min=0)
    """Share of the score of the items that this line is the first to show."""
    items = dy.List(dy.String())
    """Explained items that the event contains; for a line around, those shown by the explained line next to it."""


class ExplainedRequests(dy.Schema):
    """One row per request kind of a sequence that no normal of its service contains; the most frequent first."""

    seq_id = dy.String(primary_key=True)
    service = dy.String()
    feature = dy.UInt64(primary_key=True)
    item = dy.String()
    title = dy.String()
    n = dy.Int64(min=1)
    n_normals = dy.Int64(min=0)
    example = dy.String(nullable=True)
    """Correlation id of the first request of this kind."""


class DiffStretches(dy.Schema):
    """A sequence aligned to a normal one, message by message: stretches in order, each common, missing or extra."""

    seq_id = dy.String()
    normal = dy.String()
    stretch = dy.Int64(primary_key=True, min=0)
    change = dy.Enum(["common", "missing", "extra"])
    n = dy.Int64(min=1)
    here_from = dy.Int64(min=0)
    """Position of the first event of the stretch in the sequence, from 0."""
    normal_from = dy.Int64(min=0)
    """Position of the first event of the stretch in the normal sequence, from 0."""


class Feedback(dy.Schema):
    """Append only: one row each time a person marks something as known benign, or undoes a mark."""

    mark = dy.String(primary_key=True)
    """Id of the row."""
    action = dy.Enum(["benign", "undo"])
    undoes = dy.String(nullable=True)
    """For an undo: the mark that it takes back."""
    kind = dy.Enum(["item", "template", "request", "sequence"])
    target = dy.String()
    """Id of the item (decimal), or the seq_id."""
    service = dy.String(nullable=True)
    """Null for all services."""
    text = dy.String()
    reason = dy.String(min_length=1)
    who = dy.String()
    when = dy.Datetime(time_unit="ms")


class Groups(dy.Schema):
    """One row per group of flagged incidents with the same cause, see `explain.groups`; group 1 has the largest z."""

    group = dy.Int64(primary_key=True, min=1)
    service = dy.String()
    """The worst service of all its incidents."""
    title = dy.String()
    """Its leading item as one line."""
    codes = dy.List(dy.String())
    """Error codes and constants in the leading items; the same in all its incidents."""
    items = dy.List(dy.UInt64())
    """The leading messages that most of its incidents have: their ids, sorted."""
    requests = dy.List(dy.UInt64())
    """The request kinds with such a message that most of its incidents have: their ids, sorted."""
    incidents = dy.Int64(min=1)
    runs = dy.Int64(min=1)
    first = dy.Datetime(time_unit="ms", nullable=True)
    """Start of the first incident; null where no line has a time."""
    last = dy.Datetime(time_unit="ms", nullable=True)
    z_score = dy.Float64()
    """The largest z-score of its incidents."""


class GroupedIncidents(dy.Schema):
    """One row per flagged incident: its worst service and its group; the worst incident first."""

    run = dy.String()
    folder = dy.String()
    window = dy.Int32(nullable=True)
    test_case = dy.String()
    service = dy.String()
    seq_id = dy.String(primary_key=True)
    """The sequence of the worst service."""
    z_score = dy.Float64()
    group = dy.Int64(min=1)


class ComparedGroups(dy.Schema):
    """One row per group of flagged incidents of two predictions: new (in B only), gone (in A only), or in both."""

    change = dy.Enum(["new", "gone", "in both"])
    service = dy.String()
    title = dy.String()
    """The leading item as one line; of B, if the group is in both."""
    group_a = dy.Int64(nullable=True, min=1)
    """Its number in A; null if it is not in A."""
    incidents_a = dy.Int64(min=0)
    z_score_a = dy.Float64(nullable=True)
    group_b = dy.Int64(nullable=True, min=1)
    incidents_b = dy.Int64(min=0)
    z_score_b = dy.Float64(nullable=True)


class Increased(dy.Schema):
    """One row per message whose rate differs between some sequences and others, such as the normals.

    First new and vanished ones, then the most significant differences; see `explain.increase`.
    """

    message_id = dy.UInt64(primary_key=True)
    change = dy.Enum(["new", "vanished", "more", "less"])
    title = dy.String()
    """The text as one line."""
    item = dy.String()
    """The whole text."""
    n = dy.Int64(min=0)
    """Occurrences."""
    expected = dy.Float64(min=0)
    """Occurrences at the usual rate."""
    rate = dy.Float64(min=0)
    """Occurrences in 1,000 events."""
    usual_rate = dy.Float64(min=0)
    """The same of the other sequences."""
    p_value = dy.Float64(min=0, max=1)
    """Of the difference, corrected for the number of messages."""


class Triage(dy.Schema):
    """Append only: one row each time a person judges an incident or a group of incidents, or undoes that."""

    entry = dy.String(primary_key=True)
    """Id of the row."""
    action = dy.Enum(["set", "undo"])
    undoes = dy.String(nullable=True)
    """For an undo: the entry that it takes back."""
    kind = dy.Enum(["incident", "group"])
    run = dy.String(nullable=True)
    """Of an incident; null for a group."""
    folder = dy.String(nullable=True)
    window = dy.Int32(nullable=True)
    service = dy.String()
    """Of the group, or of the group of the incident, as in `Groups`; also the next three columns."""
    codes = dy.List(dy.String())
    items = dy.List(dy.UInt64())
    requests = dy.List(dy.UInt64())
    title = dy.String()
    """What was judged, as one line."""
    state = dy.Enum(["new", "seen", "known cause"])
    cause = dy.String(nullable=True)
    """The name of a known cause; null for the other states."""
    note = dy.String()
    who = dy.String()
    when = dy.Datetime(time_unit="ms")


class _Evaluated(dy.Schema):
    """Key of an evaluation: a recipe or trivial baseline on some data; evaluating it again replaces its rows."""

    evaluation = dy.String(primary_key=True)
    split = dy.Enum(["by run", "fault left out", "long normals"], primary_key=True)


class Evaluation(_Evaluated):
    """One row per evaluation (detector or trivial baseline), split and level; all figures are of held-out runs."""

    level = dy.Enum(["event", "sequence", "incident"], primary_key=True)
    kind = dy.Enum(["detector", "shortcut"])
    detector = dy.String()
    items = dy.String(nullable=True)
    weighting = dy.String(nullable=True)
    unit = dy.String(nullable=True)
    window = dy.Float64(nullable=True)
    """Seconds; null for whole test cases."""
    apart = dy.List(dy.String())
    """Test cases that are not included in the figures."""
    runs = dy.Int64(min=0)
    faulty = dy.Int64(min=0)
    normal = dy.Int64(min=0)
    auroc = dy.Float64(nullable=True)
    auroc_low = dy.Float64(nullable=True)
    auroc_high = dy.Float64(nullable=True)
    average_precision = dy.Float64(nullable=True)
    recall_at_1 = dy.Float64(nullable=True)
    """Recall at 1 % false alarms; the next three columns: at 5 %, with its 95 % interval."""
    recall_at_5 = dy.Float64(nullable=True)
    recall_at_5_low = dy.Float64(nullable=True)
    recall_at_5_high = dy.Float64(nullable=True)
    precision_at_10 = dy.Float64(nullable=True)
    precision_at_50 = dy.Float64(nullable=True)
    precision = dy.Float64(nullable=True)
    """This and the following columns: at the threshold of each fold."""
    recall = dy.Float64(nullable=True)
    f1 = dy.Float64(nullable=True)
    true_negatives = dy.Int64(nullable=True)
    false_positives = dy.Int64(nullable=True)
    false_negatives = dy.Int64(nullable=True)
    true_positives = dy.Int64(nullable=True)
    false_alarm_rate = dy.Float64(nullable=True)
    false_alarm_low = dy.Float64(nullable=True)
    false_alarm_high = dy.Float64(nullable=True)
    budget = dy.Float64(nullable=True)
    threshold = dy.Float64(nullable=True)
    """Median over the folds, as a z-score."""
    estimated = dy.Bool(nullable=True)
    """Whether a fold had too few normals for the alert budget."""
    psi = dy.Float64(nullable=True)
    right_service = dy.Float64(nullable=True)
    """Share of detected faults whose worst service is the affected one; null if the affected services are unknown."""
    note = dy.String()
    data_fingerprint = dy.String(nullable=True)
    evaluated_at = dy.String()


class EvaluationCurves(_Evaluated):
    """Points of the ROC curve (x false alarm rate, y recall) and precision-recall curve (x recall, y precision)."""

    level = dy.Enum(["event", "sequence", "incident"], primary_key=True)
    curve = dy.Enum(["roc", "precision-recall"], primary_key=True)
    point = dy.Int64(primary_key=True, min=0)
    x = dy.Float64(min=0, max=1)
    y = dy.Float64(min=0, max=1)
    threshold = dy.Float64(nullable=True)


class EvaluationFaults(_Evaluated):
    """One row per test case and service, and one per test case with the service "any", for the whole incident."""

    test_case = dy.String(primary_key=True)
    service = dy.String(primary_key=True)
    normal = dy.Bool()
    apart = dy.Bool()
    n = dy.Int64(min=1)
    alarms = dy.Int64(min=0)
    share = dy.Float64(min=0, max=1)
    """alarms / n: the recall of a faulty test case, the false alarm rate of a normal one."""
    named = dy.Int64(min=0)
    """Alarms in which this service is the worst; for "any": in which the affected service is the worst."""
    concerned = dy.Bool(nullable=True)
    """Whether the fault affects this service; null if unknown."""


# Comparisons: the tables of `Comparison.frames`, kept under `explainability/compare_<a>_<b>/`. A is the first
# prediction, B the second one; differences are B - A.


class ComparedProvenance(dy.Schema):
    """One row per fact and prediction: how each prediction was made."""

    fact = dy.String(primary_key=True)
    prediction = dy.String(primary_key=True)
    value = dy.String()
    """As text for people; "not recorded" if the metadata does not say."""
    differs = dy.Bool()
    """Whether the predictions differ in this fact."""


class ComparedRates(dy.Schema):
    """One row per prediction: how much it flags."""

    prediction = dy.String(primary_key=True)
    rows = dy.Int64(min=0)
    """Scored sequences, or events if single events were scored."""
    flagged = dy.Int64(min=0)
    """Flagged rows."""
    incidents = dy.Int64(min=0)
    flagged_incidents = dy.Int64(min=0)
    """Incidents with a flagged row."""
    not_fully_scored = dy.Int64(min=0)
    """Incidents without a flagged row, but with a row that has no score: they count as neither."""
    alert_rate = dy.Float64(nullable=True, min=0, max=1)
    """flagged_incidents / (incidents - not_fully_scored); null if all are not fully scored."""


class ComparedTestCases(dy.Schema):
    """One row per test case and service: the median z-score of both sides."""

    test_case = dy.String(primary_key=True)
    service = dy.String(primary_key=True)
    z_a = dy.Float64(nullable=True)
    n_a = dy.Int64(min=0)
    """Rows of A; 0 if its logs do not contain the test case and service."""
    z_b = dy.Float64(nullable=True)
    n_b = dy.Int64(min=0)
    difference = dy.Float64(nullable=True)


class ComparedIncidents(dy.Schema):
    """One row per test case and service that only one side flags."""

    test_case = dy.String(primary_key=True)
    service = dy.String(primary_key=True)
    z = dy.Float64(nullable=True)
    """Largest z-score on the side that flags it."""
    n = dy.Int64(min=1)
    """Flagged rows."""
    change = dy.Enum(["new", "gone", "not in A", "not in B"])
    """new: flagged in B only; gone: in A only; "not in ...": the logs of the other side do not contain it."""


class ComparedItems(dy.Schema):
    """One row per message, trace line or request kind that only one side's logs contain."""

    message_id = dy.UInt64(primary_key=True)
    kind = dy.Enum(["message", "trace", "request"])
    title = dy.String()
    """The text as one line."""
    item = dy.String()
    """The whole text."""
    n = dy.Int64(min=1)
    """Occurrences."""
    sequences = dy.Int64(min=1)
    """Sequences that contain it."""
    change = dy.Enum(["new", "vanished"])
    """new: in B only; vanished: in A only."""


class ComparedShifts(dy.Schema):
    """One row per service and one for "all services": population stability index (PSI) of B against A."""

    service = dy.String(primary_key=True)
    scores = dy.Float64(nullable=True, min=0)
    """PSI of the z-scores; null with too few rows."""
    items = dy.Float64(nullable=True, min=0)
    """PSI of the message frequencies; null if items were not compared."""


class ComparedRecall(dy.Schema):
    """One row per faulty test case and prediction: the share of flagged incidents."""

    test_case = dy.String(primary_key=True)
    prediction = dy.String(primary_key=True)
    recall = dy.Float64(nullable=True, min=0, max=1)
    n = dy.Int64(min=1)
    """Faulty incidents that are flagged or fully scored."""
    difference = dy.Float64(nullable=True, min=-1, max=1)
    """Recall minus the recall of A."""


class ComparedPairs(_Identity):
    """One row per sequence (or event) that both predictions contain, with both scores."""

    line_no = dy.Int64(nullable=True, min=1)
    """Line of a scored event; null if sequences were scored."""
    score_a = dy.Float64(nullable=True)
    z_a = dy.Float64(nullable=True)
    flagged_a = dy.Bool(nullable=True)
    score_b = dy.Float64(nullable=True)
    z_b = dy.Float64(nullable=True)
    flagged_b = dy.Bool(nullable=True)
    change = dy.Enum(["flagged by neither", "no longer flagged", "now flagged", "flagged by both"], nullable=True)
    """"now flagged" is flagged by B only; null if either side has no score."""

    @dy.rule()
    def one_row_each(cls) -> pl.Expr:
        return ~pl.struct("seq_id", "line_no").is_duplicated()


class ComparedFlips(ComparedPairs):
    """The pairs that only one side flags, largest absolute difference first."""

    difference = dy.Float64(nullable=True)
    """z_b - z_a."""


class ComparedMovers(ComparedPairs):
    """The pairs whose rank changed most, largest change first."""

    rank_a = dy.Float64(min=1)
    """Rank by z-score among the pairs with both scores; 1 is the worst, ties share their mean rank."""
    rank_b = dy.Float64(min=1)
    moved = dy.Float64()
    """rank_a - rank_b: positive if B ranks it as worse."""


class ComparedMetrics(dy.Schema):
    """One row per metric on labelled incidents; values are null where the metric is undefined."""

    metric = dy.String(primary_key=True)
    a = dy.Float64(nullable=True)
    b = dy.Float64(nullable=True)
    difference = dy.Float64(nullable=True)
    low = dy.Float64(nullable=True)
    """95 % interval of the difference by a paired bootstrap over runs; null for fewer than five runs."""
    high = dy.Float64(nullable=True)


class ComparedAgreement(dy.Schema):
    """One row per figure: n, spearman, kendall, kappa of the pairs, and only_a, only_b, p_value of McNemar's test."""

    figure = dy.String(primary_key=True)
    value = dy.Float64(nullable=True)
    """Null where the figure is undefined."""


# Explanations: the tables of `Explanation.frames` that are not declared above, and those of a whole prediction, kept
# under `explainability/<prediction>/`.


class ExplainedServices(dy.Schema):
    """One row per service of an explained incident, worst first."""

    seq_id = dy.String(primary_key=True)
    service = dy.String()
    score = dy.Float64(nullable=True)
    """Higher is more anomalous; null where the model does not know the service."""
    z_score = dy.Float64(nullable=True)
    p_value = dy.Float64(nullable=True, min=0, max=1)
    threshold = dy.Float64()
    """The z-score from which on a service is flagged."""
    pred_ano = dy.Bool(nullable=True)
    """Whether the service is flagged."""
    words = dy.String()
    """The score compared with held-out normals of the service, in words."""


class FirstEvents(dy.Schema):
    """One row per explained service, in time order: its first event with an item that no training normal contains."""

    m_timestamp = dy.Datetime(time_unit="ms", nullable=True)
    service = dy.String()
    """As the model calls it; empty if it has one detector for all services."""
    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(min=1)
    level = dy.String(nullable=True)
    text = dy.String()
    """The raw line that contains the item."""
    title = dy.String()
    """The item as one line."""
    known_to_normals = dy.Bool()
    """True where normals contain all items of the service; the event then has one with a large share of the score."""


class FalsePositives(Predictions):
    """One row per flagged sequence that is normal, worst first."""

    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(nullable=True, min=1)
    """Of scored events: the worst event of the sequence; otherwise null."""
    top_item = dy.String(nullable=True)
    """The item with the largest share of the score, as one line; null if the sequence was not explained."""


class SharedItems(dy.Schema):
    """One row per item that is among the five top items of false positives; the most frequent first."""

    service = dy.String()
    title = dy.String()
    """The item as one line."""
    sequences = dy.Int64(min=1)
    """Number of false positives that have the item among their five top items."""
    mean_share = dy.Float64(min=0, max=1)
    """Mean share of the scores of these sequences."""
    examples = dy.List(dy.String())
    """Their seq_ids."""
