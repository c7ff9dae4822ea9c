//! The page, with the last changes.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::row::row;
use super::words::LiveWords;
use crate::model::EntityKindId;
use crate::serve::access::Caller;
use crate::serve::api::{ApiError, LiveFilter, Parameters, read};
use crate::serve::history::StoredChange;
use crate::serve::page::assets::Asset;
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, expression_field, hidden, problems};
use crate::serve::replica::ReplicaView;

/// Changes that the page keeps, and those among which the first ones are looked for.
const KEPT_MAX: usize = 100;
const LOOKED_AT: usize = 2_000;

/// What the address asks. An empty field is no field.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveForm {
    pub tag: Option<String>,
    pub condition: Option<String>,
    pub entity: Option<String>,
}

impl LiveForm {
    pub(super) fn take(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let mut one = |name: &str| Ok::<_, ApiError>(parameters.one(name)?.filter(|text| !text.trim().is_empty()));
        Ok(LiveForm { tag: one("tag")?, condition: one("where")?, entity: one("entity")? })
    }

    pub(super) fn filter(&self, context: &PageContext) -> Result<LiveFilter, ApiError> {
        let tags = self.tag.clone().into_iter().collect();
        LiveFilter::of(&context.api, tags, self.condition.clone(), self.entity.clone())
    }

    /// Where the changes that follow come from.
    fn stream(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("tag", &self.tag), ("where", &self.condition), ("entity", &self.entity)] {
            query.extend_pairs(value.iter().map(|value| (name, value)));
        }
        format!("/live/changes?{}", query.finish())
    }
}

/// The page.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let form = LiveForm::take(&mut parameters)?;
    parameters.end()?;
    let (say, view) = (LiveWords(reader.language), context.api.view(None)?);
    let list = match form.filter(&context) {
        Ok(filter) => match last_changes(&context, reader.caller()?, filter).await? {
            Some((changes, last)) => list(&reader, &view, &form, &changes, last),
            None => html! { p.notice { (say.no_history()) } },
        },
        Err(ApiError::Expression(_, found)) => {
            problems(reader.language, form.condition.as_deref().unwrap_or_default(), &found, false)
        }
        Err(error) => return Err(error),
    };
    let body = html! { (fields(&reader, &view, &form)?) (list) };
    let (title, scripts) = (say.title(), [Asset::Complete, Asset::Live]);
    let frame =
        PageFrame { reader: &reader, place: Place::Live, title: &title, view: Some(&view), scripts: &scripts, body };
    Ok(frame.render())
}

/// The last changes that pass, the newest first, and the row behind which the others follow; `None`: there is no history.
async fn last_changes(
    context: &PageContext,
    caller: &Caller,
    filter: LiveFilter,
) -> Result<Option<(Vec<StoredChange>, i64)>, ApiError> {
    let Some(history) = context.api.history() else { return Ok(None) };
    filter.note(&context.api, caller)?;
    let newest = history.status().last_row;
    let api = context.api.clone();
    let found = read(&context.api, move |view| {
        let (changes, last) = view.changes_after(newest.saturating_sub(LOOKED_AT as i64).max(0), LOOKED_AT)?;
        let passed = changes.into_iter().rev().filter(|change| filter.wants(&api, change));
        Ok((passed.take(KEPT_MAX).collect(), last.max(newest)))
    });
    Ok(Some(found.await?))
}

fn fields(reader: &PageReader, view: &ReplicaView, form: &LiveForm) -> Result<Markup, ApiError> {
    let say = LiveWords(reader.language);
    let entity = form.entity.as_deref().unwrap_or("user");
    let catalog = &view.compiled.catalog;
    let kinds = (0..).map(EntityKindId).zip(&catalog.entities);
    let kind = kinds.into_iter().find(|(_, kind)| *kind.name == *entity).map(|(id, _)| id);
    let kind = kind.ok_or_else(|| ApiError::Unknown(format!("there is no entity kind `{entity}`")))?;
    Ok(html! {
        form.question method="get" action="/live" {
            @if reader.entities.len() > 1 {
                label { (say.entity()) " "
                    select name="entity" {
                        @for name in &reader.entities { option value=(name) selected[name == entity] { (name) } }
                    }
                }
            } @else {
                (hidden("entity", entity))
            }
            label { (say.tag()) " "
                select name="tag" {
                    option value="" { (say.all_tags()) }
                    @for tag in &catalog.tags {
                        option value=(tag.name) selected[form.tag.as_deref() == Some(&*tag.name)] { (tag.name) }
                    }
                }
            }
            (expression_field(reader.language, view, kind, form.condition.as_deref().unwrap_or_default()))
            p.hint { (say.where_about()) }
            p { button.main type="submit" { (say.show()) } }
        }
    })
}

fn list(reader: &PageReader, view: &ReplicaView, form: &LiveForm, changes: &[StoredChange], last: i64) -> Markup {
    let (say, times) = (LiveWords(reader.language), reader.times(view));
    html! {
        section aria-labelledby="changes-title" {
            h2 id="changes-title" { (say.changes()) }
            p {
                span.quiet id="state" data-lost=(say.lost()) data-connected=(say.connected()) { (say.without_script()) }
                " "
                button type="button" id="pause" hidden aria-pressed="false" data-pause=(say.pause())
                    data-resume=(say.resume()) data-waiting=(say.waiting()) { (say.pause()) }
                " "
                span id="waiting" {}
            }
            ol.steps id="changes" data-stream=(form.stream()) data-after=(last) data-kept=(KEPT_MAX)
                data-told=(say.told()) data-skipped=(say.skipped()) data-dropped=(say.dropped()) {
                @if changes.is_empty() { li.none { (say.none()) } }
                @for change in changes { (row(reader, view, &times, change)) }
            }
        }
    }
}
