//! What a question says: parameters and bodies, read with their limits.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::ApiError;
use crate::catalog::parse_duration;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::replica::ReplicaView;

/// The largest body of a question.
pub(in crate::serve) const BODY_BYTES_MAX: usize = 1 << 20;

/// The parameters of a question. Each is taken once; those that nobody took are unknown.
#[derive(Debug)]
pub(in crate::serve) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Parameters(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }
}

impl Parameters {
    /// The fields of a form.
    pub(in crate::serve) fn of_form(body: &Body) -> Self {
        let pairs = form_urlencoded::parse(&body.0);
        Parameters(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// All values of a parameter that may repeat.
    pub(in crate::serve) fn all(&mut self, name: &str) -> Vec<String> {
        let (these, others) = std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = others;
        let these: Vec<(String, String)> = these;
        these.into_iter().map(|(_, value)| value).collect()
    }

    pub(in crate::serve) fn one(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(ApiError::Wrong(format!("{name} is given more than once"))),
        }
    }

    /// Whether a parameter is given.
    pub(in crate::serve) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The number of a view, to be answered from that.
    pub(in crate::serve) fn view(&mut self) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.one("view")? else { return Ok(None) };
        let number = text.parse().map_err(|_| ApiError::Wrong(format!("view={text} is not the number of a view")));
        number.map(Some)
    }

    /// A length of time such as `30d`, from a millisecond to a limit.
    pub(in crate::serve) fn duration_ms(&mut self, name: &str, default: &str, most: &str) -> Result<i64, ApiError> {
        let text = self.one(name)?.unwrap_or_else(|| default.to_owned());
        let parsed = parse_duration(&text).ok().filter(|ms| *ms > 0 && Ok(*ms) <= parse_duration(most));
        parsed.ok_or_else(|| {
            ApiError::Wrong(format!("{name}={text} is not a duration with its unit, such as {default}, up to {most}"))
        })
    }

    /// Everything has been taken.
    pub(in crate::serve) fn end(self) -> Result<(), ApiError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::Wrong(format!("there is no parameter `{name}` here"))),
        }
    }
}

/// A body as bytes.
pub(in crate::serve) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Body(bytes)),
            Err(BytesRejection::FailedToBufferBody(_)) => {
                Err(ApiError::TooLarge(format!("a body has at most {BODY_BYTES_MAX} bytes")))
            }
            Err(error) => Err(ApiError::Wrong(error.to_string())),
        }
    }
}

impl Body {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.0).map_err(|error| ApiError::Wrong(format!("the body: {error}")))
    }

    pub(super) fn text(&self) -> Result<&str, ApiError> {
        std::str::from_utf8(&self.0).map_err(|error| ApiError::Wrong(format!("the body is not UTF-8: {error}")))
    }
}

/// The kind of entity with a name.
pub(in crate::serve) fn kind(view: &ReplicaView, name: &str) -> Result<EntityKindId, ApiError> {
    view.kind(name).ok_or_else(|| {
        let kinds: Vec<&str> = view.compiled.catalog.entities.iter().map(|kind| &*kind.name).collect();
        ApiError::Unknown(format!("there is no entity kind `{name}`; known are {}", kinds.join(", ")))
    })
}

/// An instant of a question.
pub(super) fn instant(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse(text).map_err(|error| ApiError::Wrong(format!("{name}={text} is {error}")))
}
