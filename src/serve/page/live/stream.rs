//! The changes that follow, each as a row of the list.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::row::row;
use super::show::LiveForm;
use crate::serve::api::{ApiError, Parameters, after, stream_changes};
use crate::serve::page::frame::{PageContext, PageReader};

/// Server-sent events as the API has them, with rows of HTML in the place of JSON.
pub(in crate::serve::page) async fn stream(
    State(context): State<PageContext>,
    reader: PageReader,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let form = LiveForm::take(&mut parameters)?;
    let after = after(&headers, &mut parameters)?;
    parameters.end()?;
    let filter = form.filter(&context)?;
    let api = context.api.clone();
    let caller = reader.caller()?.clone();
    stream_changes(&context.api, &caller, filter, after, move |change| {
        let view = api.view(None).ok()?;
        Some(row(&reader, &view, &reader.times(&view), change).into_string())
    })
}
