//! Whether a request is admitted, and whose it is.
//!
//! With a file of tokens a request needs one of them, as a bearer or, from the page, as a cookie that no script reads and
//! no other site makes a browser send. Without a file only this machine is listened to, and only requests to a name that
//! nobody can point at this machine in the public DNS are answered. A web page of another origin may not act in either case.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use axum::http::header::{AUTHORIZATION, COOKIE as COOKIE_HEADER, HOST};
use axum::http::{HeaderMap, Method};

use super::rate::RateLimit;
use super::token::{Scope, Scopes, TokenFile, TokenFileError};
use crate::http::{foreign_origin, is_private_host};
use crate::settings::ServeSettings;

/// The cookie that holds the page's token.
pub const COOKIE: &str = "tagstream_token";
/// Somebody without a token is called so in the audit log.
const NOBODY: &str = "local";
/// A changed file is read again after at most this time.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const SESSION_S: u64 = 30 * 86_400;

/// Why the server must not start.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    #[error(
        "serve.listen = {listen} can be reached from other machines, and no token is asked for: set serve.tokens to a file \
         that `tagstream token new` helps to write, or listen at 127.0.0.1"
    )]
    Open { listen: SocketAddr },
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a token is needed: send Authorization: Bearer TOKEN")]
    NoToken,
    #[error("the token is not known")]
    UnknownToken,
    #[error("the token of {name} does not have the scope `{}`", .scope.name())]
    MissingScope { name: String, scope: Scope },
    #[error("too many requests; the next one is taken in {} ms", .retry_after.as_millis() + 1)]
    TooMany { retry_after: Duration },
    #[error("the request comes from a web page of another origin ({0})")]
    ForeignOrigin(String),
    #[error(
        "the host `{0}` may be a name of the public DNS; use an address or localhost, or set serve.tokens, since without \
         tokens a web page could read this one"
    )]
    ForeignHost(String),
}

/// Whose a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: Arc<str>,
    pub scopes: Scopes,
}

/// Decides about requests.
#[derive(Debug)]
pub struct Access {
    tokens: Option<WatchedTokens>,
    rate: RateLimit,
}

/// The file of tokens, read again when it has changed.
#[derive(Debug)]
struct WatchedTokens {
    path: PathBuf,
    state: RwLock<LoadedTokens>,
}

#[derive(Debug)]
struct LoadedTokens {
    file: Arc<TokenFile>,
    modified: Option<SystemTime>,
    looked_at: Instant,
}

impl Access {
    /// # Errors
    /// The file of tokens is wrong, or there is none although others can reach the server.
    pub fn new(settings: &ServeSettings) -> Result<Self, AccessError> {
        let rate = RateLimit::new(settings.requests_a_second);
        let Some(path) = &settings.tokens else {
            if !settings.listen.ip().is_loopback() {
                return Err(AccessError::Open { listen: settings.listen });
            }
            return Ok(Access { tokens: None, rate });
        };
        Ok(Access { tokens: Some(WatchedTokens::read(path.clone())?), rate })
    }

    /// Whether tokens are asked for.
    pub fn has_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Admits a request that needs a scope.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admit(&self, method: &Method, headers: &HeaderMap, scope: Scope) -> Result<Caller, Refusal> {
        let caller = self.identify(method, headers)?;
        if !caller.scopes.has(scope) {
            return Err(Refusal::MissingScope { name: caller.name.to_string(), scope });
        }
        Ok(caller)
    }

    /// Whose a request is, whatever it asks for.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn identify(&self, method: &Method, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let acts = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if acts {
            self.check_origin(headers)?;
        }
        let caller = self.recognize(headers)?;
        self.rate.take(&caller.name, Instant::now()).map_err(|retry_after| Refusal::TooMany { retry_after })?;
        Ok(caller)
    }

    /// Whose a request is, without counting it.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn recognize(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        match &self.tokens {
            None => {
                let host = headers.get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes())).unwrap_or_default();
                if !is_private_host(&host) {
                    return Err(Refusal::ForeignHost(host.into_owned()));
                }
                Ok(Caller { name: NOBODY.into(), scopes: Scopes::all() })
            }
            Some(tokens) => tokens.caller(sent_token(headers).ok_or(Refusal::NoToken)?),
        }
    }

    /// Refuses a request that acts and comes from a web page of another origin.
    ///
    /// # Errors
    /// It does.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        foreign_origin(headers).map_or(Ok(()), |origin| Err(Refusal::ForeignOrigin(origin)))
    }

    /// Whether a token may be put into the page's cookie: it is known, and our own page sends it.
    ///
    /// # Errors
    /// Why not.
    pub fn sign_in(&self, headers: &HeaderMap, token: &str) -> Result<(), Refusal> {
        self.check_origin(headers)?;
        self.tokens.as_ref().map_or(Ok(()), |tokens| tokens.caller(token).map(drop))
    }
}

impl WatchedTokens {
    fn read(path: PathBuf) -> Result<Self, TokenFileError> {
        let modified = std::fs::metadata(&path).and_then(|data| data.modified()).ok();
        let file = Arc::new(TokenFile::read(&path)?);
        let state = RwLock::new(LoadedTokens { file, modified, looked_at: Instant::now() });
        Ok(WatchedTokens { path, state })
    }

    fn caller(&self, token: &str) -> Result<Caller, Refusal> {
        let file = self.current(Instant::now());
        let known = file.find(token).ok_or(Refusal::UnknownToken)?;
        Ok(Caller { name: known.name.as_str().into(), scopes: known.scopes })
    }

    /// The tokens as they stand in the file. One that cannot be read leaves those before it.
    fn current(&self, now: Instant) -> Arc<TokenFile> {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if now.saturating_duration_since(state.looked_at) < LOOK_EVERY {
                return Arc::clone(&state.file);
            }
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.looked_at = now;
        let modified = std::fs::metadata(&self.path).and_then(|data| data.modified()).ok();
        if modified != state.modified {
            state.modified = modified;
            match TokenFile::read(&self.path) {
                Ok(file) => {
                    tracing::info!("the tokens were read again: {}", file.names().collect::<Vec<_>>().join(", "));
                    state.file = Arc::new(file);
                }
                Err(error) => tracing::error!("the tokens before stay in force: {error}"),
            }
        }
        Arc::clone(&state.file)
    }
}

/// The token of a request: a bearer, or else the page's cookie.
fn sent_token(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    let cookies = headers.get_all(COOKIE_HEADER).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// The header `Set-Cookie` that gives a browser its token, or takes it away.
pub fn session_cookie(token: Option<&str>, is_encrypted: bool) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let (token, age_s) = token.map_or(("", 0), |token| (token, SESSION_S));
    format!("{COOKIE}={token}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}
