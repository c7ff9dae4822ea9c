//! All members as a file.

use axum::extract::{Path, State};
use axum::response::Response;

use super::question::{AudienceForm, instant_in};
use crate::serve::api::{ApiError, Asked, MembersFormat, Parameters, columns, stream};
use crate::serve::page::frame::PageContext;

/// The members as the API streams them, by a link.
pub(in crate::serve::page) async fn download(
    State(context): State<PageContext>,
    Path(name): Path<String>,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let format = match name.as_str() {
        "members.csv" => MembersFormat::Csv,
        "members.ndjson" => MembersFormat::Ndjson,
        _ => return Err(ApiError::Unknown("there is no such file; members.csv and members.ndjson are".to_owned())),
    };
    let texts = parameters.all("column");
    let form = AudienceForm::read(parameters)?;
    let asked = Asked::read(&context.api, form.condition.as_deref(), form.entity.as_deref(), None)?;
    let zone = &asked.view.compiled.catalog.timezone;
    let at = form.as_of.as_deref().map(|text| instant_in(zone, "as_of", text)).transpose()?;
    let columns = columns(&asked, &texts)?;
    stream(&context.api, asked, at, columns, format).await
}
