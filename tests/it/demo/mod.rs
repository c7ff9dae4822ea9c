//! The demo: its gym, its catalog, its screen, and the whole of it through the binary.

mod binary;
mod gym;
mod screen;
