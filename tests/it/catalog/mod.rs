//! Tests of the catalog: from YAML to the compiled form, and to reports.

mod bad;
mod check;
mod expressions;
mod fingerprint;
mod good;
mod robust;
mod scores;
