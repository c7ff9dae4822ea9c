"""Trains churn.onnx: how probable it is that a customer buys nothing in the next 90 days.

    python train.py purchases.ndjson.gz [more.ndjson.gz …]

An event is a line such as {"user_id": "u", "type": "purchase", "timestamp": "1997-01-01T00:00:00Z",
"properties": {"amount": 11.77}}; others are left out. The columns are the `inputs` of catalog.yaml,
in its order and with its windows: a change of one needs the same change of the other.
"""

import bisect
import collections
import datetime
import gzip
import json
import pathlib
import sys

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

DAY = datetime.timedelta(days=1)
WINDOW_DAYS = 180
HORIZON_DAYS = 90
SNAPSHOT_EVERY_DAYS = 30


def read(paths):
    """By user the dates and amounts of their purchases, in order."""
    purchases = collections.defaultdict(list)
    for path in paths:
        with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as lines:
            for event in map(json.loads, lines):
                if event["type"] == "purchase":
                    at = datetime.datetime.fromisoformat(event["timestamp"])
                    purchases[event["user_id"]].append((at, event["properties"].get("amount", 0)))
    return {user: sorted(events) for user, events in sorted(purchases.items())}


def row(events, now):
    """What the catalog's inputs are at an instant; `events` are those up to it."""
    in_window = [amount for at, amount in events if (now.date() - at.date()).days <= WINDOW_DAYS]
    recency, tenure = (now - events[-1][0]) / DAY, (now - events[0][0]) / DAY
    return [recency, len(in_window), sum(in_window), tenure]


def examples(purchases):
    """A row for each customer and snapshot, whether they left, and who it is."""
    times = [at for events in purchases.values() for at, _ in events]
    first, last = min(times) + WINDOW_DAYS * DAY, max(times) - HORIZON_DAYS * DAY
    rows, left, users = [], [], []
    for index, events in enumerate(purchases.values()):
        now = first
        while now <= last:
            known = bisect.bisect_right(events, (now, float("inf")))
            if known:
                later = events[known][0] if known < len(events) else None
                rows.append(row(events[:known], now))
                left.append(later is None or later > now + HORIZON_DAYS * DAY)
                users.append(index)
            now += SNAPSHOT_EVERY_DAYS * DAY
    return np.array(rows, dtype=np.float32), np.array(left), np.array(users)


def main(paths):
    rows, left, users = examples(read(paths))
    # A fifth of the customers is kept to see how good the model is with people it has never met.
    is_new = users % 5 == 0
    model = make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=40, max_depth=3, random_state=0))
    model.fit(rows[~is_new], left[~is_new])
    scores = model.predict_proba(rows[is_new])[:, 1]
    print(f"{len(rows)} rows, {left.mean():.1%} left; of customers never met: AUC {roc_auc_score(left[is_new], scores):.3f}")
    # zipmap: probabilities as a tensor, which is what tagstream reads.
    onnx = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, rows.shape[1]]))],
        options={id(model): {"zipmap": False}},
        target_opset=15,
    )
    path = pathlib.Path(__file__).with_name("churn.onnx")
    path.write_bytes(onnx.SerializeToString(deterministic=True))
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
