"""Makes the models of the tests, and the scores that Python's ONNX Runtime gives them (scores.txt).

    pip install -r ../../../../deploy/examples/churn/requirements.txt
    PYTHONHASHSEED=0 python make.py
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = pathlib.Path(__file__).parent
ROWS = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-4.0, 0.5, 12.25], [100.0, -3.0, 7.0], [float("nan"), 1.0, float("nan")]]

random = np.random.RandomState(7)
x = random.normal(size=(200, 3)).astype(np.float32) * [1, 2, 5]
y = (x @ [1.0, -0.5, 0.2] + random.normal(size=200) * 0.3 > 0).astype(int)
three = np.digitize(x @ [1.0, -0.5, 0.2], [-1, 1])

TABLE = [("x", FloatTensorType([None, 3]))]
COLUMNS = [(name, FloatTensorType([None, 1])) for name in ("recency", "visits", "spend")]
NO_MAPS = {"zipmap": False}


def classifier(model, target=y, types=TABLE, options=NO_MAPS):
    return to_onnx(model.fit(x, target), initial_types=types, options=options and {id(model): options}, target_opset=15)


def by_name(model):
    """A tensor a column, by name."""
    columns = ColumnTransformer([("all", "passthrough", [0, 1, 2])])
    return classifier(make_pipeline(columns, model), types=COLUMNS)


def rows_at_a_time(model, rows):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = rows
    return model


def fragile():
    """Fails on a row whose first number is 3 or more, since its table has three entries."""
    node = helper.make_node
    nodes = [
        node("IsNaN", ["x"], ["unknown"]),
        node("Where", ["unknown", "zero", "x"], ["known"]),
        node("Cast", ["known"], ["whole"], to=TensorProto.INT64),
        node("Gather", ["entries", "whole"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fragile",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("entries", TensorProto.FLOAT, [3], [0.25, 0.5, 0.7]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


MODELS = {
    "logistic": classifier(LogisticRegression()),
    "double": classifier(LogisticRegression(), types=[("x", DoubleTensorType([None, 3]))]),
    "imputed": classifier(make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())),
    "forest": classifier(RandomForestClassifier(5, max_depth=3, random_state=1)),
    "columns": by_name(LogisticRegression()),
    "linear": to_onnx(LinearRegression().fit(x, x @ [1.0, -0.5, 0.2]), initial_types=TABLE, target_opset=15),
    "one_row": rows_at_a_time(classifier(LogisticRegression()), 1),
    "eight_rows": rows_at_a_time(classifier(LogisticRegression()), 8),
    "zipmap": classifier(LogisticRegression(), options=None),
    "three_classes": classifier(LogisticRegression(), target=three),
    "integers": classifier(LogisticRegression(), types=[("x", Int64TensorType([None, 3]))]),
    "fragile": fragile(),
}
SCORED = ["logistic", "double", "imputed", "forest", "columns", "linear", "one_row"]


def score(name):
    session = onnxruntime.InferenceSession(FOLDER / f"{name}.onnx")
    inputs = session.get_inputs()
    kind = np.float64 if inputs[0].type == "tensor(double)" else np.float32
    for row in np.array(ROWS, dtype=kind):
        if len(inputs) == 1:
            given = {inputs[0].name: row.reshape(1, -1)}
        else:
            given = {port.name: row[index].reshape(1, 1) for index, port in enumerate(inputs)}
        output = session.run(None, given)[-1].reshape(-1)[-1]
        yield f"{name} {' '.join(str(float(number)) for number in row)} = {output}"


for name, model in MODELS.items():
    # Who made it, and with what, is none of the tests' concern.
    model.producer_version = ""
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
lines = [line for name in SCORED for line in score(name)]
(FOLDER / "scores.txt").write_text("\n".join(lines) + "\n")
