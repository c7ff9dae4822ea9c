//! The answers that several operations may give, as the description has them: each is written once, and named by its type.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::PROBLEM_JSON;

/// The description of a refusal: its body is a problem document.
pub(in crate::serve::api) fn refusal(about: &str) -> Response {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument"))).build();
    ResponseBuilder::new().description(about).content(PROBLEM_JSON, problem).build()
}

/// The reader has this answer already.
pub(in crate::serve::api) struct NotModified;

impl IntoResponses for NotModified {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let about = "The reader has this answer already (If-None-Match)";
        BTreeMap::from([("304".to_owned(), ResponseBuilder::new().description(about).build().into())])
    }
}

/// A type for each refusal: its name, its status, and what the description says of it.
macro_rules! refusals {
    ($($name:ident: $status:literal, $about:literal;)+) => {$(
        #[doc = $about]
        pub(in crate::serve::api) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([($status.to_owned(), refusal($about).into())])
            }
        }
    )+};
}

refusals! {
    WrongParameter: "400", "A parameter is wrong";
    WrongParameterOrBody: "400", "A parameter or the body is wrong";
    NoSuchKind: "404", "No such kind of entity";
    ViewGone: "410", "The view is gone";
    BodyTooLarge: "413", "The body is too large";
    WrongExpression: "422", "The expression has errors";
    WrongExpressions: "422", "An expression has errors";
    StateBeingRead: "503", "The state is being read";
    HistoryBeingRead: "503", "The state or the history is being read";
}
