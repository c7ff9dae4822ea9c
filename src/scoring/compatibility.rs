//! Compares a model with the `score` that names it: its inputs by number, name and type, its output by name.

use super::mismatch::{ModelMismatch, ScorePart};
use super::signature::{ElementType, Port, PortType, Signature};
use crate::catalog::{Score, did_you_mean};

/// How rows become the model's tensors, and which tensor holds the scores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TensorPlan {
    pub layout: Layout,
    /// Whether the model takes only one row per call.
    pub is_single: bool,
    pub output: String,
    pub output_element: ElementType,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// All inputs in one tensor, one row per entity.
    Table { name: String, element: ElementType },
    /// One tensor per input, in the catalog's order.
    Columns(Vec<Column>),
}

/// A tensor with one number per row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub element: ElementType,
    /// 2 for `[n, 1]`, 1 for `[n]`.
    pub rank: usize,
}

/// The usual names of a classifier's probabilities.
const PROBABILITIES: [&str; 3] = ["probabilities", "probability", "output_probability"];

const FLOATS: &str = "export it with inputs of floats (in skl2onnx `FloatTensorType([None, …])`)";

/// Compares a model with the inputs that the catalog gives it and the output that it names.
///
/// # Errors
/// All mismatches.
pub(crate) fn check_compatibility(signature: &Signature, score: &Score) -> Result<TensorPlan, Vec<ModelMismatch>> {
    let mut mismatches = Vec::new();
    let layout = match &signature.inputs[..] {
        [] => Err(vec![ModelMismatch::new(ScorePart::Model, "this model takes no input")]),
        [table] => check_table(table, score).map_err(|mismatch| vec![mismatch]),
        columns => check_columns(columns, score),
    };
    let layout = layout.map_err(|found| mismatches.extend(found)).ok();
    let output = check_output(&signature.outputs, score).map_err(|mismatch| mismatches.push(mismatch)).ok();
    match layout.zip(output) {
        Some(((layout, is_single), (output, output_element))) => {
            Ok(TensorPlan { layout, is_single, output: output.to_owned(), output_element: output_element.clone() })
        }
        None => Err(mismatches),
    }
}

fn check_table(port: &Port, score: &Score) -> Result<(Layout, bool), ModelMismatch> {
    let (given, name) = (score.inputs.len(), &port.name);
    let no_table = |shape: &str| {
        let message = format!("the model's only input `{name}` is {shape}, not one of `[n, {given}]`: a row a user");
        ModelMismatch::new(ScorePart::Inputs, message)
    };
    let PortType::Tensor { element, shape } = &port.port_type else {
        return Err(no_table(&port.port_type.described()));
    };
    if let ElementType::Other(element) = element {
        let message = format!("the model's input `{name}` is a tensor of {element}; what it is given are floats");
        return Err(ModelMismatch::new(ScorePart::Inputs, message).help(FLOATS));
    }
    let [rows, width] = shape[..] else {
        return Err(no_table(&format!("a tensor of {} dimensions", shape.len())));
    };
    if let Some(width) = width.filter(|width| *width != given as u64) {
        let message = format!("the model takes {width} numbers for each user; this gives it {given}");
        let help = "name what it was trained on, in the same order";
        return Err(ModelMismatch::new(ScorePart::Inputs, message).help(help));
    }
    let is_single = is_single(name, rows)?;
    Ok((Layout::Table { name: name.clone(), element: element.clone() }, is_single))
}

/// Whether a model takes only one row per call, as its first dimension says.
fn is_single(name: &str, rows: Option<u64>) -> Result<bool, ModelMismatch> {
    match rows {
        None => Ok(false),
        Some(1) => Ok(true),
        Some(rows) => {
            let message = format!("the model's input `{name}` takes {rows} users at a time, no more and no fewer");
            let help = "export it with a first dimension that is not fixed: `[None, …]`";
            Err(ModelMismatch::new(ScorePart::Model, message).help(help))
        }
    }
}

fn check_columns(ports: &[Port], score: &Score) -> Result<(Layout, bool), Vec<ModelMismatch>> {
    let mut mismatches = Vec::new();
    let taken = || ports.iter().map(|port| port.name.as_str());
    for port in ports.iter().filter(|port| score.inputs.iter().all(|input| *input.name != *port.name)) {
        let message = format!("the model also takes `{}`", port.name);
        let help = format!("add it: `- {}: …`", port.name);
        mismatches.push(ModelMismatch::new(ScorePart::Inputs, message).help(help));
    }
    let mut columns = Vec::new();
    let mut is_any_single = false;
    for (index, input) in score.inputs.iter().enumerate() {
        let Some(port) = ports.iter().find(|port| *port.name == *input.name) else {
            let known: Vec<String> = taken().map(|name| format!("`{name}`")).collect();
            let help = did_you_mean(&input.name, taken()).unwrap_or_else(|| format!("it takes {}", known.join(", ")));
            mismatches.push(
                ModelMismatch::new(ScorePart::Input(index), format!("the model takes no `{}`", input.name)).help(help),
            );
            continue;
        };
        match check_column(port, index) {
            Ok((column, is_single)) => {
                columns.push(column);
                is_any_single |= is_single;
            }
            Err(mismatch) => mismatches.push(mismatch),
        }
    }
    if mismatches.is_empty() { Ok((Layout::Columns(columns), is_any_single)) } else { Err(mismatches) }
}

fn check_column(port: &Port, index: usize) -> Result<(Column, bool), ModelMismatch> {
    let (place, name) = (ScorePart::Input(index), &port.name);
    let wanted =
        |is: String| ModelMismatch::new(place, format!("the model's `{name}` is {is}, not one number for each user"));
    let PortType::Tensor { element, shape } = &port.port_type else {
        return Err(wanted(port.port_type.described()));
    };
    if let ElementType::Other(element) = element {
        let message = format!("the model takes {element} for `{name}`; what it is given are floats");
        return Err(ModelMismatch::new(place, message).help(FLOATS));
    }
    let rows = match shape[..] {
        [rows] | [rows, None | Some(1)] => rows,
        [_, Some(width)] => return Err(wanted(format!("{width} numbers"))),
        _ => return Err(wanted(format!("a tensor of {} dimensions", shape.len()))),
    };
    let column = Column { name: name.clone(), element: element.clone(), rank: shape.len() };
    is_single(name, rows).map(|is_single| (column, is_single))
}

fn check_output<'s>(ports: &'s [Port], score: &Score) -> Result<(&'s str, &'s ElementType), ModelMismatch> {
    let mismatch = |message: String| ModelMismatch::new(ScorePart::Output, message);
    let exact = ports.iter().find(|port| *port.name == *score.output);
    let is_asked = PROBABILITIES.contains(&&*score.output);
    let meant = || PROBABILITIES.iter().find_map(|name| ports.iter().find(|port| port.name == *name));
    let Some(port) = exact.or_else(|| meant().filter(|_| is_asked)) else {
        let names = || ports.iter().map(|port| port.name.as_str());
        let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let help = did_you_mean(&score.output, names()).unwrap_or_else(|| format!("it has {}", known.join(", ")));
        return Err(mismatch(format!("the model has no output `{}`", score.output)).help(help));
    };
    let name = &port.name;
    match &port.port_type {
        PortType::Tensor { element: ElementType::Other(element), .. } => {
            let message = format!("the model's `{name}` is a tensor of {element}: a class, not how probable it is");
            let named = meant().map(|port| format!("take `output: {}`", port.name));
            let help = named.unwrap_or_else(|| "name an output that is a number with a point".to_owned());
            Err(mismatch(message).help(help))
        }
        PortType::Tensor { element, .. } => Ok((name, element)),
        PortType::Maps => {
            let message = format!("the model's `{name}` is a list of maps, not a tensor of probabilities");
            Err(mismatch(message).help("export it without ZipMap: in skl2onnx `options={\"zipmap\": False}`"))
        }
        PortType::Other => Err(mismatch(format!("the model's `{name}` is not a tensor of numbers"))),
    }
}

/// Which of the numbers for a row is its score.
///
/// # Errors
/// There is no number, or it is not clear which one is the score.
pub(crate) fn column_of(output: &str, numbers: usize) -> Result<usize, ModelMismatch> {
    let mismatch = |message: String| ModelMismatch::new(ScorePart::Output, message);
    match numbers {
        1 => Ok(0),
        // The probabilities of no and yes.
        2 if output.to_lowercase().contains("prob") => Ok(1),
        0 => Err(mismatch(format!("the model's `{output}` holds no number for a user"))),
        many => {
            let message = format!("the model's `{output}` holds {many} numbers for a user: which one is the score?");
            let help = "take a regressor, or a classifier of two classes, whose second one's probability it then is";
            Err(mismatch(message).help(help))
        }
    }
}
