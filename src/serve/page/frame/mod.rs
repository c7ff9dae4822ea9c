//! What all pages have: who reads, the frame around what a page says, and a page for what goes wrong.
//!
//! | file | holds |
//! | --- | --- |
//! | [`context`] | what the routes have |
//! | [`reader`] | whose a request is, in which language and colours the reader wants the answer |
//! | [`words`] | the words of the frame |
//! | [`layout`] | header, navigation, the line that says as of when, footer |
//! | [`text`] | keys, values and paths, written so that no content can pass for the page's own |
//! | [`secure`] | the headers of every answer |
//! | [`problems`] | what is wrong with an expression or a catalog, each with its place |
//! | [`expression`] | the field for an expression |
//! | [`refusal`] | a page for what goes wrong |

mod context;
mod reader;
mod words;
mod layout;
mod text;
mod instant;
mod secure;
mod problems;
mod expression;
mod refusal;

pub use context::PageContext;
pub(in crate::serve::page) use expression::expression_field;
pub(in crate::serve::page) use instant::{instant_in, local_in};
pub(in crate::serve::page) use layout::{NavPlace as Place, PageFrame, hidden};
pub(in crate::serve::page) use problems::problems;
pub(in crate::serve::page) use reader::{COLOURS_COOKIE, ColourScheme, LANGUAGE_COOKIE, PageReader};
pub(in crate::serve::page) use refusal::{no_page, problem_page};
pub(in crate::serve::page) use secure::secure;
pub(in crate::serve::page) use text::{audience_path, because, entity_path, key, local_path, tag_path, value};
pub(in crate::serve::page) use words::FrameWords;
