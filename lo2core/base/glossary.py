"""The terms of the project, one for each concept: the text of `docs/glossary.md` and of the help on the pages."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A term, its meaning in one or two sentences, and where the dashboard shows it."""

    name: str
    meaning: str
    shown: str

    @property
    def anchor(self) -> str:
        """The term's anchor in `docs/glossary.md`: `alert-budget`."""
        return self.name.lower().replace(" ", "-")


def meaning(name: str) -> str:
    """The meaning of a term of `TERMS`, as Markdown; raises `KeyError` for any other name."""
    return {term.name: term.meaning for term in TERMS}[name]


TERMS = (
    Term(
        "Alert budget",
        "How many false alarms you accept, as a number per 100 normal incidents. It determines the threshold: a "
        "smaller budget gives fewer false alarms and misses more faults.",
        "Train, before a model is trained; Predict, above the threshold",
    ),
    Term(
        "AUROC",
        "Area under the ROC curve: the probability that a random faulty incident scores higher than a random normal "
        "one. 1 is perfect, 0.5 is chance.",
        "Train, the table of evaluated detectors; Compare, the tab Metrics",
    ),
    Term(
        "Average precision",
        "Area under the precision-recall curve. Unlike the AUROC it depends on the share of faulty incidents.",
        "Train, the table of evaluated detectors; Compare, the tab Metrics",
    ),
    Term(
        "Bundle",
        "The file format of a saved model: `<name>.joblib` contains the model and its vectorizer, `<name>.json` is the "
        "signed manifest. On the pages it is called a model.",
        "Train, the list of saved models",
    ),
    Term(
        "Calibration",
        "Measuring how normal sequences score when the detector has not seen them. Whole runs are held out; the mean "
        "and the spread of these scores turn a score into a z-score.",
        "Train, the section Calibration",
    ),
    Term(
        "Detector",
        "The method that gives a score, for example NearestNormal or IsolationForest. A model contains one fitted "
        "detector for each service.",
        "Train, the choice of a detector",
    ),
    Term(
        "Event",
        "One log line that begins with a time stamp, together with the lines that continue it, such as a stack trace.",
        "Load, the table of log lines; Explain, the lines of a service",
    ),
    Term(
        "False alarm",
        "A normal incident with a z-score at or above the threshold.",
        "Train, the cards of an evaluated detector; Explain, the tab of false alarms",
    ),
    Term(
        "Fault",
        "What makes a test case faulty, for example a wrong password in its requests. The name of the test case names "
        "the fault.",
        "Train, the matrix of faults and services",
    ),
    Term(
        "Fingerprint",
        "A hash of the counts of a workspace. It shows whether two predictions, or a model and its training data, "
        "come from the same logs.",
        "Compare, what differs between the two predictions",
    ),
    Term(
        "Fitness",
        "Whether a model knows the messages and requests of some logs as well as it knew those of its own held-out "
        "normal runs: it fits, fits in part, or does not fit. It never changes a score.",
        "Predict, the box above the scores; Overview, the card Predictions",
    ),
    Term(
        "Group",
        "Flagged incidents with the same cause: the same service and error codes, and similar new messages and "
        "requests.",
        "Overview and Predict, the flagged incidents by cause; Compare, the tab Causes",
    ),
    Term(
        "Held-out run",
        "A run that was left out of the training, so that its scores are those that new logs would get. An evaluation "
        "holds out each run in turn.",
        "Train, the evaluation",
    ),
    Term(
        "Incident",
        "One test case of one run, over all its services; with windows, one window of it. It is what you investigate, "
        "and it scores as its worst service.",
        "Overview and Predict, the lists of incidents; Explain, one incident",
    ),
    Term(
        "Item",
        "What a detector counts: messages, templates, request kinds, words or trigrams. Lines of stack traces are "
        "counted with messages.",
        "Train, the choice of items; Explain, the items of a score",
    ),
    Term(
        "Known benign",
        "An item, request kind or sequence that a person has marked as harmless, with a reason. Explain then also "
        "shows the score without it; the saved scores stay as they are.",
        "Explain, the button that marks items as benign, and the list of marks",
    ),
    Term(
        "Known cause",
        "The name of the cause of a group or an incident, given by a person. It is offered for similar groups of later "
        "predictions; it changes no score and hides nothing.",
        "Overview and Predict, below a selected group",
    ),
    Term(
        "Ledger",
        "The account of everything that was found: each file, and each of its lines as part of an event, blank, "
        "skipped or in front of the first event.",
        "Load, the account of files and lines",
    ),
    Term(
        "Level",
        "What a metric counts: events, sequences or incidents. Metrics of incidents say how many faults are found.",
        "Train, the table of evaluated detectors",
    ),
    Term(
        "Mask",
        "A rule that replaces the variable part of a log line, such as a number or an identifier, by a placeholder.",
        "Enhance, the list of masks",
    ),
    Term(
        "Message",
        "The first line of an event after masking: level, logger, method and text. Events with the same message are "
        "counted together.",
        "Enhance, the examples of a template; Explain, the items of a score",
    ),
    Term(
        "Model",
        "One fitted detector for each service, with calibration and threshold. With its vectorizer it contains all "
        "that is needed to score new logs.",
        "Train, the list of saved models; Predict, the choice of a model",
    ),
    Term(
        "Nearest normal",
        "The normal sequence of the same service whose counts differ least from those of the scored sequence.",
        "Explain, the comparison with a normal sequence",
    ),
    Term(
        "Normal",
        "A test case without a fault, named `correct`. Models of unsupervised detectors learn from normal sequences "
        "only.",
        "Load, the chart of runs over time",
    ),
    Term(
        "Not fully scored",
        "An incident without a flagged service in which one has no score, because its log could not be read or the "
        "model does not know it. Metrics count it separately.",
        "Overview and Predict, the number of flagged incidents; Compare, the alert rates",
    ),
    Term(
        "p-value",
        "The share of held-out normals that score at least as high: (1 + their number) / (1 + all of them). It is "
        "text for people; incidents are sorted by z-score.",
        "Predict, the table of incidents; Explain, the services of an incident",
    ),
    Term(
        "Population stability index",
        "How much the distribution of scores differs between two sets of logs. Below 0.1 counts as stable, above 0.25 "
        "as changed.",
        "Compare, the tab Shift",
    ),
    Term(
        "Predictions",
        "The saved scores of one model for one set of logs: a table with one row for each sequence, or for each event.",
        "Predict, the list of saved predictions; Compare, the two choices",
    ),
    Term(
        "Request kind",
        "The set of distinct messages that share one correlation id: the path that a request took through the code.",
        "Explain, the new request kinds",
    ),
    Term(
        "Run",
        "One deployment of the system with all its test cases. Training data and test data are always split by run.",
        "Load, the chart of runs over time",
    ),
    Term(
        "Sample",
        "A set of logs that is scored but kept apart from the training data, in `samples/<name>/` of the workspace. "
        "The synthetic sample of `make run` is a small set of generated logs.",
        "Load, where to put new logs; Predict, the choice of logs",
    ),
    Term(
        "Score",
        "The detector's own number for a sequence or an event. Higher is more anomalous, for every detector; scores of "
        "different services or detectors cannot be compared.",
        "Predict, the table of incidents; Explain, the services of an incident",
    ),
    Term(
        "Sequence",
        "The log of one service in one test case of a run, or in one window of it. It is what gets a score, unless "
        "single events are scored.",
        "Explain, the services of an incident",
    ),
    Term(
        "Service",
        "One microservice of the system. Each has its own log, and its own detector in a model.",
        "Predict, the columns of the heat map",
    ),
    Term(
        "Template",
        "What a group of similar messages has in common, with `<*>` for the parts that differ.",
        "Enhance, the table of templates",
    ),
    Term(
        "Test case",
        "One load test of a run: a folder with the logs of all services. `correct` is normal, every other one contains "
        "a fault.",
        "Load, the chart of runs over time; Predict, the table of incidents",
    ),
    Term(
        "Threshold",
        "The z-score from which on a sequence or an event is an alarm. It is set from the alert budget and from "
        "held-out normals, never from faults.",
        "Train, the section Calibration; Predict, the line in the chart of scores",
    ),
    Term(
        "Trivial baseline",
        "A score made of one simple fact, such as the length of a log or the time of day. A detector that is no better "
        "has learned nothing about the faults.",
        "Train, below the table of evaluated detectors",
    ),
    Term(
        "Vectorizer",
        "Turns counts of items into the matrix that a detector reads. It is fitted on the training data and saved with "
        "the model, so that new logs are counted in the same way.",
        "Explain, the tab about the model",
    ),
    Term(
        "Weighting",
        "How counts enter the matrix: as they are, as log(1 + n), as present or absent, or as tf-idf.",
        "Train, the settings of a detector",
    ),
    Term(
        "Window",
        "One of the equal parts into which a test case is cut, with `--window`. A window covers the same time in all "
        "services.",
        "Load, the setting for windows; Predict, the table of incidents",
    ),
    Term(
        "Workspace",
        "A folder that contains the tables made from one set of logs, with its predictions, explanations and samples.",
        "every page, the choice of a workspace in the side bar",
    ),
    Term(
        "z-score",
        "A score compared with held-out normals of the same service: 0 is their mean, 1 is one spread above it. It "
        "makes services comparable.",
        "Predict, the table of incidents; Explain, the services of an incident",
    ),
)
"""All terms, in alphabetical order."""
