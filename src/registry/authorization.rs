//! The `Authorization` of requests, from a file.

use std::fs;
use std::path::Path;

use crate::codec::push_base64;

/// The header for the credentials in a file: `user:password`, or a token. It is read for each request: the credentials may
/// be replaced while the process runs.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn authorization(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text.trim();
    if !text.contains(':') {
        return Ok(format!("Bearer {text}"));
    }
    let mut base64 = Vec::new();
    push_base64(text.as_bytes(), &mut base64);
    Ok(format!("Basic {}", String::from_utf8_lossy(&base64)))
}
