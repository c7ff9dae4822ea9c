//! All members as a file.

use axum::extract::{Path, State};
use axum::response::Response;

use super::question::AudienceForm;
use crate::serve::api::{ApiError, Asked, MembersFormat, Parameters, columns, stream};
use crate::serve::page::frame::{PageContext, PageReader, instant_in};

/// The members as the API streams them, by a link.
pub(in crate::serve::page) async fn download(
    State(context): State<PageContext>,
    reader: PageReader,
    Path(name): Path<String>,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let format = match name.as_str() {
        "members.csv" => MembersFormat::Csv,
        "members.ndjson" => MembersFormat::Ndjson,
        _ => return Err(ApiError::Unknown("there is no such file; members.csv and members.ndjson are".to_owned())),
    };
    let texts: Vec<String> = parameters.all("column").into_iter().filter(|text| !text.trim().is_empty()).collect();
    let form = AudienceForm::read(parameters)?;
    let asked = Asked::read(&context.api, form.condition.as_deref(), form.entity.as_deref(), None)?;
    let zone = &asked.view.compiled.catalog.timezone;
    let at = form.as_of.as_deref().map(|text| instant_in(zone, "as_of", text)).transpose()?;
    let columns = columns(&asked, &texts)?;
    context.api.note_members(reader.caller()?, &asked.entity, form.condition.as_deref())?;
    stream(&context.api, asked, at, columns, format).await
}
