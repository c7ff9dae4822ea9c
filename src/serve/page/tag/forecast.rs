//! Who enters and leaves a tag in the next thirty days if nothing happens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::words::TagWords;
use crate::serve::api::{ApiError, ForecastAnswer, ForecastRow, tag, titles, work};
use crate::serve::page::chart::{ColumnChart, MoveColumn, columns};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, tag_path};
use crate::serve::page::words::Count;

const HORIZON_MS: i64 = 30 * 24 * 3_600_000;

/// The page, whose section a script brings into the tag's page.
pub(in crate::serve::page) async fn forecast(
    State(context): State<PageContext>,
    reader: PageReader,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let say = TagWords(reader.language);
    let view = context.api.view(None)?;
    let (_, found) = tag(&view, &name)?;
    let entity = view.compiled.catalog.entity(found.entity).name.to_string();
    let title = reader.language.title(&titles(found), &name).to_owned();
    let (asked, of) = (Arc::clone(&view), name.clone());
    let answer = work(context.api.scans(), move || ForecastAnswer::of(&asked, entity, Some(&of), HORIZON_MS)).await?;
    let body = html! {
        p { a href=(tag_path(&name)) { (title) } }
        section id="forecast" {
            p { (say.forecast_about()) }
            @for (place, row) in answer.rows.iter().enumerate() { (chart(say, place, row)) }
        }
    };
    let title = say.forecast_of(&title);
    let frame =
        PageFrame { reader: &reader, place: Place::Elsewhere, title: &title, view: Some(&view), scripts: &[], body };
    Ok(frame.render())
}

fn chart(say: TagWords, place: usize, row: &ForecastRow) -> Markup {
    let column =
        |day: &crate::serve::api::ForecastDay| MoveColumn { label: day.date.clone(), came: day.enter, went: day.leave };
    let days: Vec<MoveColumn> = row.days.iter().map(column).collect();
    let title = row.label.as_deref().map_or_else(|| say.forecast(), |label| say.forecast_label(label));
    html! {
        @if row.label.is_some() { h3 { (title) } }
        p { (say.forecast_now_then(Count(row.now), Count(row.then))) }
        (columns(&ColumnChart {
            id: &format!("forecast-{place}"),
            title: &title,
            says: &say.forecast_now_then(Count(row.now), Count(row.then)),
            table: &say.table(),
            heads: [&say.day(), &say.came(), &say.went()],
            columns: &days,
        }))
    }
}
