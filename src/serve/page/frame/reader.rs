//! Whose a request is, and in which language and colours the reader wants the answer.

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use crate::serve::access::{Caller, Scope};
use crate::serve::api::{ApiContext, ApiError};
use crate::serve::page::words::{Language, Times};
use crate::serve::replica::ReplicaView;

/// The cookies in which a switch is remembered.
pub(in crate::serve::page) const LANGUAGE_COOKIE: &str = "tagstream_language";
pub(in crate::serve::page) const COLOURS_COOKIE: &str = "tagstream_colours";

/// The colours of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) enum ColourScheme {
    /// As the reader's system has them.
    System,
    Light,
    Dark,
}

impl ColourScheme {
    pub(in crate::serve::page) const ALL: [ColourScheme; 3] =
        [ColourScheme::System, ColourScheme::Light, ColourScheme::Dark];

    pub(in crate::serve::page) fn name(self) -> &'static str {
        match self {
            ColourScheme::System => "system",
            ColourScheme::Light => "light",
            ColourScheme::Dark => "dark",
        }
    }

    pub(in crate::serve::page) fn parse(name: &str) -> Option<Self> {
        ColourScheme::ALL.into_iter().find(|colours| colours.name() == name)
    }
}

/// Who reads a page.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct PageReader {
    pub language: Language,
    pub colours: ColourScheme,
    /// `None`: nobody has signed in.
    pub caller: Option<Caller>,
    /// Whether tokens are asked for, so that a reader can sign out.
    pub has_session: bool,
    /// The path and query that were asked for: where a switch leads back to.
    pub here: String,
    /// The kinds of entities, for the search; empty while no state has been read.
    pub entities: Vec<String>,
    /// The workers' catalog, where the states are read with another one.
    pub other_catalog: Option<String>,
}

impl PageReader {
    pub(in crate::serve::page) fn of(api: &ApiContext, request: &Request) -> Self {
        let headers = request.headers();
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let switched = cookie(headers, LANGUAGE_COOKIE).and_then(Language::of_tag);
        let colours = cookie(headers, COLOURS_COOKIE).and_then(ColourScheme::parse);
        let view = api.replica().view();
        let entities = view.iter().flat_map(|view| &view.compiled.catalog.entities).map(|kind| kind.name.to_string());
        PageReader {
            language: switched.unwrap_or_else(|| Language::of_accepted(accepted)),
            colours: colours.unwrap_or(ColourScheme::System),
            caller: None,
            has_session: api.access().has_tokens(),
            here: here(request).to_owned(),
            entities: entities.collect(),
            other_catalog: api.replica().status_now().other_catalog.map(|other| other.running),
        }
    }

    /// Whether the reader may do something. What is not allowed is not shown.
    pub(in crate::serve::page) fn may(&self, scope: Scope) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.scopes.has(scope))
    }

    /// Whose the request is, for what is noted.
    ///
    /// # Errors
    /// Nobody's: a page that was not admitted.
    pub(in crate::serve::page) fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or_else(|| ApiError::Failed("the page was not admitted".to_owned()))
    }

    /// How instants of a view are written.
    pub(in crate::serve::page) fn times(&self, view: &ReplicaView) -> Times {
        Times { language: self.language, zone: view.compiled.catalog.timezone.clone() }
    }
}

impl<S: Sync> FromRequestParts<S> for PageReader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let reader = parts.extensions.get::<PageReader>().cloned();
        reader.ok_or_else(|| ApiError::Failed("nobody has noted who reads".to_owned()))
    }
}

/// What was asked for. What acts is not asked for a second time.
fn here(request: &Request) -> &str {
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
    request.uri().path_and_query().filter(|_| is_look).map_or("/", |path| path.as_str())
}

/// A cookie of a request.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
        let (known, value) = cookie.trim().split_once('=')?;
        (known == name).then_some(value)
    })
}
