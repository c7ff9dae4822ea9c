//! Replaces the ONNX Runtime in a build without the feature `onnx`: no model can be opened.

use std::path::Path;

use super::mismatch::{ModelMismatch, ScorePart};
use crate::catalog::Score;

pub(crate) enum SessionPool {}

impl SessionPool {
    pub(crate) fn open(_: Vec<u8>, _: &Score, _: Option<&Path>) -> Result<Self, Vec<ModelMismatch>> {
        let mismatch = ModelMismatch::new(ScorePart::Model, "this tagstream was built without models");
        Err(vec![mismatch.help("build it with the feature `onnx`, which is on by default")])
    }

    pub(crate) fn run(&self, _: &[f64], _: usize, _: &mut Vec<Option<f64>>) -> Result<(), String> {
        match *self {}
    }
}
