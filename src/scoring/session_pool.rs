//! A model opened in the ONNX Runtime: a pool with as many sessions as there were concurrent callers.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType};

use super::compatibility::{Column, Layout, TensorPlan, check_compatibility, column_of};
use super::mismatch::{ModelMismatch, ScorePart};
use super::runtime_library;
use super::signature::{ElementType, Port, PortType, Signature};
use crate::catalog::Score;

/// A session runs one call at a time, so each caller takes an idle one or opens another.
pub(crate) struct SessionPool {
    environment: Environment,
    bytes: Vec<u8>,
    plan: TensorPlan,
    /// How many numbers the model returns for a row, and which of them is the score.
    numbers: usize,
    column: usize,
    idle: Mutex<Vec<PooledSession>>,
}

/// A session, its selected output, and its input buffers.
struct PooledSession {
    session: Session,
    options: RunOptions<HasSelectedOutputs>,
    floats: Vec<f32>,
    doubles: Vec<f64>,
}

impl SessionPool {
    pub(crate) fn open(bytes: Vec<u8>, score: &Score, library: Option<&Path>) -> Result<Self, Vec<ModelMismatch>> {
        let environment = runtime_library::environment(library).map_err(|mismatch| vec![mismatch])?;
        let unreadable = |error: ort::Error| {
            let message = format!("this is not a model that the ONNX Runtime can open: {}", error.message());
            vec![ModelMismatch::new(ScorePart::Model, message)]
        };
        let session = open_session(&environment, &bytes).map_err(unreadable)?;
        let signature = signature(&session);
        let plan = check_compatibility(&signature, score)?;
        let first = PooledSession::new(session, &plan).map_err(unreadable)?;
        let mut sessions =
            SessionPool { environment, bytes, plan, numbers: 1, column: 0, idle: Mutex::new(vec![first]) };
        sessions.measure(score.inputs.len()).map_err(|mismatch| vec![mismatch])?;
        Ok(sessions)
    }

    /// Measures how many numbers the model returns for a row: most models do not declare the shape of their output.
    fn measure(&mut self, width: usize) -> Result<(), ModelMismatch> {
        let fails = |why: String| ModelMismatch::new(ScorePart::Model, format!("the model can't be run: {why}"));
        let mut session = self.take().map_err(|error| fails(error.message().to_owned()))?;
        let of = |session: &mut PooledSession, rows: usize| {
            let zeros = vec![0.0; rows * width];
            session.run(&self.plan, &zeros, width, |values| values.len()).map_err(fails)
        };
        let numbers = of(&mut session, 1)?;
        let column = column_of(&self.plan.output, numbers)?;
        if !self.plan.is_single && of(&mut session, 2)? != 2 * numbers {
            let message = format!("the model's `{}` is not one row for each user", self.plan.output);
            return Err(ModelMismatch::new(ScorePart::Output, message));
        }
        (self.numbers, self.column) = (numbers, column);
        self.put_back(session);
        Ok(())
    }

    /// Appends one score per row; appends nothing on an error.
    pub(crate) fn run(&self, rows: &[f64], width: usize, out: &mut Vec<Option<f64>>) -> Result<(), String> {
        let mut session = self.take().map_err(|error| error.message().to_owned())?;
        let before = out.len();
        let at_once = if self.plan.is_single { width } else { rows.len() };
        let result = rows.chunks(at_once).try_for_each(|rows| {
            session.run(&self.plan, rows, width, |values| {
                values.each(self.numbers, |row| out.push(Some(row[self.column])));
            })
        });
        self.put_back(session);
        let result = result.and_then(|()| {
            let (wanted, found) = (rows.len() / width, out.len() - before);
            if wanted == found { Ok(()) } else { Err(format!("{wanted} rows came to {found} scores")) }
        });
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    fn take(&self) -> ort::Result<PooledSession> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(session) => Ok(session),
            None => PooledSession::new(open_session(&self.environment, &self.bytes)?, &self.plan),
        }
    }

    fn put_back(&self, session: PooledSession) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }
}

/// One thread and deterministic computation: the same row has the same score every time.
fn open_session(environment: &Environment, bytes: &[u8]) -> ort::Result<Session> {
    let mut builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::Level1)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        .with_deterministic_compute(true)?
        .with_log_level(LogLevel::Fatal)?;
    builder.commit_from_memory(bytes)
}

fn signature(session: &Session) -> Signature {
    let ports = |outlets: &[Outlet]| {
        outlets
            .iter()
            .map(|outlet| Port { name: outlet.name().to_owned(), port_type: port_type(outlet.dtype()) })
            .collect()
    };
    Signature { inputs: ports(session.inputs()), outputs: ports(session.outputs()) }
}

fn port_type(value_type: &ValueType) -> PortType {
    match value_type {
        ValueType::Tensor { ty, shape, .. } => {
            let element = match ty {
                TensorElementType::Float32 => ElementType::Float32,
                TensorElementType::Float64 => ElementType::Float64,
                other => ElementType::Other(other.to_string()),
            };
            PortType::Tensor { element, shape: shape.iter().map(|size| u64::try_from(*size).ok()).collect() }
        }
        ValueType::Sequence(of) if matches!(**of, ValueType::Map { .. }) => PortType::Maps,
        ValueType::Map { .. } => PortType::Maps,
        _ => PortType::Other,
    }
}

/// The numbers of an output.
enum OutputValues<'v> {
    Floats(&'v [f32]),
    Doubles(&'v [f64]),
}

impl OutputValues<'_> {
    fn len(&self) -> usize {
        match self {
            OutputValues::Floats(values) => values.len(),
            OutputValues::Doubles(values) => values.len(),
        }
    }

    /// Passes row by row.
    fn each(&self, numbers: usize, mut take: impl FnMut(&[f64])) {
        match self {
            OutputValues::Floats(values) => {
                let mut row = Vec::with_capacity(numbers);
                for floats in values.chunks_exact(numbers) {
                    row.clear();
                    row.extend(floats.iter().map(|float| widened(*float)));
                    take(&row);
                }
            }
            OutputValues::Doubles(values) => values.chunks_exact(numbers).for_each(take),
        }
    }
}

/// The double with the same shortest decimal as the float: 0.7, where the float is 0.699999988….
///
/// A score is shown to people and compared with bounds that people wrote.
fn widened(float: f32) -> f64 {
    if float.is_finite() { float.to_string().parse().unwrap_or(f64::from(float)) } else { f64::NAN }
}

impl PooledSession {
    fn new(session: Session, plan: &TensorPlan) -> ort::Result<Self> {
        let outputs = OutputSelector::no_default().with(plan.output.as_str());
        let options = RunOptions::new()?.with_outputs(outputs);
        Ok(PooledSession { session, options, floats: Vec::new(), doubles: Vec::new() })
    }

    /// Runs the model on rows and passes its output.
    fn run<T>(
        &mut self,
        plan: &TensorPlan,
        rows: &[f64],
        width: usize,
        take: impl FnOnce(OutputValues<'_>) -> T,
    ) -> Result<T, String> {
        let PooledSession { session, options, floats, doubles } = self;
        let message = |error: ort::Error| error.message().to_owned();
        let count = rows.len() / width;
        arrange(plan, rows, width, floats, doubles);
        let inputs = tensors(plan, count, width, floats, doubles).map_err(message)?;
        let outputs = session.run_with_options::<_, 0>(inputs, options).map_err(message)?;
        let output: &DynValue = outputs.get(&plan.output).ok_or("the output is missing")?;
        let values = match plan.output_element {
            ElementType::Float64 => OutputValues::Doubles(output.try_extract_tensor::<f64>().map_err(message)?.1),
            _ => OutputValues::Floats(output.try_extract_tensor::<f32>().map_err(message)?.1),
        };
        Ok(take(values))
    }
}

fn elements(plan: &TensorPlan) -> impl Iterator<Item = &ElementType> {
    let (table, columns) = match &plan.layout {
        Layout::Table { element, .. } => (Some(element), &[][..]),
        Layout::Columns(columns) => (None, &columns[..]),
    };
    table.into_iter().chain(columns.iter().map(|column| &column.element))
}

/// Arranges the numbers as the tensors need them: row by row for a table, else column by column.
fn arrange(plan: &TensorPlan, rows: &[f64], width: usize, floats: &mut Vec<f32>, doubles: &mut Vec<f64>) {
    floats.clear();
    doubles.clear();
    match &plan.layout {
        Layout::Table { .. } => doubles.extend_from_slice(rows),
        Layout::Columns(_) => {
            (0..width).for_each(|column| doubles.extend(rows.chunks_exact(width).map(|row| row[column])));
        }
    }
    if elements(plan).any(|element| *element == ElementType::Float32) {
        floats.extend(doubles.iter().map(|number| *number as f32));
    }
}

type Inputs<'v> = Vec<(Cow<'v, str>, SessionInputValue<'v>)>;

fn tensors<'v>(
    plan: &'v TensorPlan,
    count: usize,
    width: usize,
    floats: &'v [f32],
    doubles: &'v [f64],
) -> ort::Result<Inputs<'v>> {
    let tensor = |element: &ElementType, shape: &[usize], at: usize| -> ort::Result<SessionInputValue<'v>> {
        let range = at..at + shape.iter().product::<usize>();
        Ok(match element {
            ElementType::Float64 => TensorRef::from_array_view((shape.to_vec(), &doubles[range]))?.into(),
            _ => TensorRef::from_array_view((shape.to_vec(), &floats[range]))?.into(),
        })
    };
    match &plan.layout {
        Layout::Table { name, element } => Ok(vec![(name.into(), tensor(element, &[count, width], 0)?)]),
        Layout::Columns(columns) => {
            let one = |(index, Column { name, element, rank }): (usize, &'v Column)| {
                let shape = [count, 1];
                Ok((name.into(), tensor(element, &shape[..*rank], index * count)?))
            };
            columns.iter().enumerate().map(one).collect()
        }
    }
}
