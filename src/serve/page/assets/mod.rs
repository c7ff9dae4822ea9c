//! Style, scripts and icon: part of the program, and named by their content, so that browsers keep them for as long as
//! they like.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use crate::serve::api::ApiError;

/// A file that pages load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) enum Asset {
    Style,
    Icon,
    /// Renews the parts of a page that are marked as live, and tells of it politely.
    Refresh,
    /// Shows the rows of a table that fit what is typed.
    Filter,
    /// Brings in a part of another page that takes long.
    Include,
    /// Completes names in an expression.
    Complete,
    /// Shows the answer to what is written in a form, while it is written.
    Answer,
    /// Adds changes to a list as they come.
    Live,
}

const ASSETS: [Asset; 8] = [
    Asset::Style,
    Asset::Icon,
    Asset::Refresh,
    Asset::Filter,
    Asset::Include,
    Asset::Complete,
    Asset::Answer,
    Asset::Live,
];

impl Asset {
    /// Name, ending, content type, text.
    fn file(self) -> (&'static str, &'static str, &'static str, &'static str) {
        const SCRIPT: &str = "text/javascript; charset=utf-8";
        match self {
            Asset::Style => ("style", "css", "text/css; charset=utf-8", include_str!("style.css")),
            Asset::Icon => ("icon", "svg", "image/svg+xml", include_str!("icon.svg")),
            Asset::Refresh => ("refresh", "js", SCRIPT, include_str!("refresh.js")),
            Asset::Filter => ("filter", "js", SCRIPT, include_str!("filter.js")),
            Asset::Include => ("include", "js", SCRIPT, include_str!("include.js")),
            Asset::Complete => ("complete", "js", SCRIPT, include_str!("complete.js")),
            Asset::Answer => ("answer", "js", SCRIPT, include_str!("answer.js")),
            Asset::Live => ("live", "js", SCRIPT, include_str!("live.js")),
        }
    }

    /// Its name, which changes with its content.
    fn name(self) -> String {
        let (name, ending, _, text) = self.file();
        format!("{name}.{:016x}.{ending}", xxh3_64(text.as_bytes()))
    }

    pub(in crate::serve::page) fn path(self) -> String {
        format!("/assets/{}", self.name())
    }
}

/// An asset by its name. One of another version of the program is not there.
pub(in crate::serve::page) async fn asset(Path(name): Path<String>) -> Result<Response, ApiError> {
    let found = ASSETS.into_iter().find(|asset| asset.name() == name);
    let asset = found.ok_or_else(|| ApiError::Unknown("there is no such asset".to_owned()))?;
    let (_, _, content_type, text) = asset.file();
    let kept = [(CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()), (ETAG, format!("\"{name}\""))];
    Ok((kept, [(CONTENT_TYPE, content_type)], text).into_response())
}
