//! Secrets and signatures, as the specification Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`.

use std::fs;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::codec::{push_base64, read_base64};

/// What a secret begins with; the rest is base64.
const PREFIX: &str = "whsec_";
/// The specification's bounds.
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A file of secrets cannot be used. The text holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("push.secret: {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(
        "push.secret: {}: line {line} is not {PREFIX} and {BYTES_MIN} to {BYTES_MAX} bytes in base64; make one with: \
         echo {PREFIX}$(openssl rand -base64 32)", path.display()
    )]
    Malformed { path: PathBuf, line: usize },
    #[error("push.secret: {}: there is no secret in it; make one with: echo {PREFIX}$(openssl rand -base64 32)", .0.display())]
    Empty(PathBuf),
}

/// The secrets that requests are signed with: one, or an old and a new one while receivers change over.
pub struct SigningSecrets {
    keys: Vec<Vec<u8>>,
}

impl SigningSecrets {
    /// Reads a file: a secret a line, such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`. Empty lines and lines with `#` are
    /// skipped.
    ///
    /// # Errors
    /// The file cannot be read, or a line is something else.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let text =
            fs::read_to_string(path).map_err(|error| SecretError::Unreadable { path: path.to_owned(), error })?;
        let lines = text.lines().map(str::trim).enumerate();
        let mut keys = Vec::new();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let key = line.strip_prefix(PREFIX).and_then(read_base64);
            match key.filter(|key| (BYTES_MIN..=BYTES_MAX).contains(&key.len())) {
                Some(key) => keys.push(key),
                None => return Err(SecretError::Malformed { path: path.to_owned(), line: index + 1 }),
            }
        }
        if keys.is_empty() {
            return Err(SecretError::Empty(path.to_owned()));
        }
        Ok(SigningSecrets { keys })
    }

    /// The value of `webhook-signature`: a signature of each secret.
    pub fn header(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let signatures: Vec<String> = self.keys.iter().map(|key| sign(key, id, timestamp_s, body)).collect();
        signatures.join(" ")
    }
}

/// A signature with its version: `v1,` and base64.
pub fn sign(key: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(format!("{id}.{timestamp_s}.").as_bytes());
    mac.update(body);
    let mut text = b"v1,".to_vec();
    push_base64(&mac.finalize().into_bytes(), &mut text);
    String::from_utf8(text).expect("base64 is ASCII")
}
