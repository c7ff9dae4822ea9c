//! Tests of the catalog: from YAML to the compiled form, and to reports.

mod good;
