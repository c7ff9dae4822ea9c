//! The signature of a model: the tensors that it takes and returns.

/// All inputs and outputs, in the model's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signature {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

/// One input or output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub name: String,
    pub port_type: PortType,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PortType {
    /// A dimension that is not fixed is `None`.
    Tensor { element: ElementType, shape: Vec<Option<u64>> },
    /// The output of a ZipMap: for each row a map from class to probability.
    Maps,
    /// Anything else.
    Other,
}

/// The type of a tensor's elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ElementType {
    Float32,
    Float64,
    /// Not a floating-point number: its name in ONNX.
    Other(String),
}

impl PortType {
    /// For messages: `a tensor of i64`.
    pub(crate) fn described(&self) -> String {
        match self {
            PortType::Tensor { element: ElementType::Float32, .. } => "a tensor of f32".to_owned(),
            PortType::Tensor { element: ElementType::Float64, .. } => "a tensor of f64".to_owned(),
            PortType::Tensor { element: ElementType::Other(name), .. } => format!("a tensor of {name}"),
            PortType::Maps => "a list of maps".to_owned(),
            PortType::Other => "not a tensor".to_owned(),
        }
    }
}
