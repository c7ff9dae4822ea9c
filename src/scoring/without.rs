//! What stands in for the ONNX Runtime in a build without the feature `onnx`: nothing can be opened.

use std::path::Path;

use super::misfit::{Misfit, Place};
use crate::catalog::Score;

pub enum Sessions {}

impl Sessions {
    pub fn open(_: Vec<u8>, _: &Score, _: Option<&Path>) -> Result<Self, Vec<Misfit>> {
        let misfit = Misfit::new(Place::Model, "this tagstream was built without models");
        Err(vec![misfit.help("build it with the feature `onnx`, which is on by default")])
    }

    pub fn run(&self, _: &[f64], _: usize, _: &mut Vec<Option<f64>>) -> Result<(), String> {
        match *self {}
    }
}
