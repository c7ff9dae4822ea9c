//! What the routes of the page have: what those of the API have, and how the page is reached.

use crate::serve::api::ApiContext;

/// What the pages share.
#[derive(Clone)]
pub struct PageContext {
    pub api: ApiContext,
    /// Whether connections are encrypted here.
    pub is_encrypted: bool,
}
