//! What a model says of itself: the tensors that it takes and gives.

/// All inputs and outputs, in the model's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

/// One input or output.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    pub name: String,
    pub port_type: PortType,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PortType {
    /// A dimension that is not fixed is `None`.
    Tensor { element: ElementType, shape: Vec<Option<u64>> },
    /// What a ZipMap makes of probabilities: a map from class to number for each row.
    Maps,
    /// Neither.
    Other,
}

/// What a tensor is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementType {
    Float32,
    Float64,
    /// Its name in ONNX: no number with a point.
    Other(String),
}

impl PortType {
    /// For messages: `a tensor of i64`.
    pub fn described(&self) -> String {
        match self {
            PortType::Tensor { element: ElementType::Float32, .. } => "a tensor of f32".to_owned(),
            PortType::Tensor { element: ElementType::Float64, .. } => "a tensor of f64".to_owned(),
            PortType::Tensor { element: ElementType::Other(name), .. } => format!("a tensor of {name}"),
            PortType::Maps => "a list of maps".to_owned(),
            PortType::Other => "no tensor".to_owned(),
        }
    }
}
