//! The one test binary: every part's tests as modules.

mod allocations;
mod catalog;
mod codec;
mod demo;
mod engine;
mod generate;
mod http;
mod kafka;
mod merge;
mod model;
mod reference;
mod scoring;
mod simulation;
mod story;
mod survey;
mod tidy;
mod tools;
