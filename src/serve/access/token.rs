//! Tokens, their scopes, and the file with their hashes.
//!
//! A token is 32 random bytes, so a plain hash of it cannot be turned back. The file holds hashes only: who reads it
//! cannot ask with it.

use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

const PREFIX: &str = "ts_";
const BYTES: usize = 32;
const NAME_BYTES_MAX: usize = 64;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To look at a single entity.
    Profile,
    /// To count and list entities.
    Audience,
    /// To set and remove manual tags, and to erase.
    Write,
    /// To reload and approve catalogs.
    Catalog,
}

impl Scope {
    pub const ALL: [Scope; 4] = [Scope::Profile, Scope::Audience, Scope::Write, Scope::Catalog];

    pub fn name(self) -> &'static str {
        match self {
            Scope::Profile => "profile",
            Scope::Audience => "audience",
            Scope::Write => "write",
            Scope::Catalog => "catalog",
        }
    }

    pub fn parse(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// What is allowed where no token is asked for.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Scope::ALL.into_iter().filter(|scope| self.has(*scope)).map(Scope::name).collect();
        f.write_str(&names.join(","))
    }
}

/// Why a file with tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("serve.tokens = {path}: {error}", path = .path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(
        "serve.tokens = {path}, line {line}: {why}; a line is NAME SCOPE[,SCOPE] HASH, as `tagstream token new` prints it",
        path = .path.display()
    )]
    BadLine { path: PathBuf, line: usize, why: String },
    #[error("serve.tokens = {path}: there is no token in it; make one with `tagstream token new`", path = .path.display())]
    Empty { path: PathBuf },
}

/// A token that is known by its hash.
#[derive(Clone, Debug)]
pub struct KnownToken {
    /// Who has it, for the audit log.
    pub name: String,
    pub scopes: Scopes,
    hash: [u8; 32],
}

/// The tokens of a file.
#[derive(Clone, Debug, Default)]
pub struct TokenFile {
    tokens: Vec<KnownToken>,
}

impl TokenFile {
    /// # Errors
    /// The file cannot be read, or a line is wrong.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let unreadable = |error| TokenFileError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut tokens: Vec<KnownToken> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let bad = |why: String| TokenFileError::BadLine { path: path.to_owned(), line: number, why };
            let token = parse_line(line).map_err(bad)?;
            if tokens.iter().any(|other| other.name == token.name) {
                return Err(bad(format!("the name `{}` stands twice", token.name)));
            }
            tokens.push(token);
        }
        if tokens.is_empty() {
            return Err(TokenFileError::Empty { path: path.to_owned() });
        }
        Ok(TokenFile { tokens })
    }

    /// The token that was sent, if it is known. It takes as long for any token of one length.
    pub fn find(&self, token: &str) -> Option<&KnownToken> {
        let hash = hash(token);
        let mut found = None;
        for known in &self.tokens {
            let is_it: Choice = known.hash.ct_eq(&hash);
            if bool::from(is_it) {
                found = Some(known);
            }
        }
        found
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.name.as_str())
    }
}

fn parse_line(line: &str) -> Result<KnownToken, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, scopes, hash] = words[..] else { return Err(format!("it has {} words", words.len())) };
    check_name(name)?;
    let scope = |name: &str| Scope::parse(name).ok_or_else(|| format!("there is no scope `{name}`"));
    let scopes = scopes.split(',').map(scope).collect::<Result<Scopes, String>>()?;
    let hash = parse_hash(hash).ok_or_else(|| "the hash is not sha256: and 64 hexadecimal digits".to_owned())?;
    Ok(KnownToken { name: name.to_owned(), scopes, hash })
}

fn check_name(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(legal);
    if is_name {
        return Ok(());
    }
    Err(format!("the name `{name}` is not 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores"))
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64 && digits.is_ascii())?;
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(hash)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new token, and its line for the file.
///
/// # Errors
/// The name cannot be one, or the system has no random numbers.
pub fn new_token(name: &str, scopes: Scopes) -> Result<(String, String), String> {
    check_name(name)?;
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no random numbers: {error}"))?;
    let token = format!("{PREFIX}{}", hex(&bytes));
    let line = format!("{name} {scopes} sha256:{}", hex(&hash(&token)));
    Ok((token, line))
}
