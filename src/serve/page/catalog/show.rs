//! The page: the text, its problems, its preview.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::preview::changes;
use super::words::CatalogWords;
use crate::catalog::{self, Problem};
use crate::engine::CompiledCatalog;
use crate::serve::api::{ApiError, Body, Parameters, PreviewAnswer, work};
use crate::serve::page::assets::Asset;
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, problems};
use crate::serve::replica::ReplicaView;

/// An edit that was read.
struct Edit {
    text: String,
    problems: Vec<Problem>,
    /// Where it has no errors.
    fingerprint: Option<String>,
    preview: Option<PreviewAnswer>,
}

/// How much is made of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EditExtent {
    Problems,
    Preview,
}

impl Edit {
    async fn of(
        context: &PageContext,
        view: &Arc<ReplicaView>,
        text: String,
        extent: EditExtent,
    ) -> Result<Self, ApiError> {
        let view = Arc::clone(view);
        work(context.api.scans(), move || {
            let loaded = catalog::load(&text);
            let other = loaded.catalog.map(CompiledCatalog::new);
            let fingerprint = other.as_ref().map(|other| other.fingerprint().to_owned());
            let preview = other.filter(|_| extent == EditExtent::Preview);
            let preview = preview.map(|other| PreviewAnswer::of(&view, &other, &loaded.problems));
            Ok(Edit { text, problems: loaded.problems, fingerprint, preview })
        })
        .await
    }
}

/// The catalog in force.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let view = context.api.view(None)?;
    let text = view.compiled.catalog.text.to_string();
    let edit = Edit::of(&context, &view, text, EditExtent::Problems).await?;
    Ok(page(&reader, &view, whole(&reader, &view, &edit, EditExtent::Problems)))
}

/// Another text, and what it would change.
pub(in crate::serve::page) async fn preview(
    State(context): State<PageContext>,
    reader: PageReader,
    body: Body,
) -> Result<Response, ApiError> {
    let view = context.api.view(None)?;
    let edit = Edit::of(&context, &view, text(&body)?, EditExtent::Preview).await?;
    edit.preview.iter().try_for_each(|preview| preview.note(&context.api, reader.caller()?))?;
    Ok(page(&reader, &view, whole(&reader, &view, &edit, EditExtent::Preview)))
}

/// The problems alone, for a script that asks while somebody writes.
pub(in crate::serve::page) async fn problems_of(
    State(context): State<PageContext>,
    reader: PageReader,
    body: Body,
) -> Result<Response, ApiError> {
    let view = context.api.view(None)?;
    let edit = Edit::of(&context, &view, text(&body)?, EditExtent::Problems).await?;
    Ok(page(&reader, &view, beside(&reader, &view, &edit)))
}

/// The text of the form. Browsers send the ends of lines in their own way.
fn text(body: &Body) -> Result<String, ApiError> {
    let mut fields = Parameters::of_form(body);
    let text = fields.one("text")?.ok_or_else(|| ApiError::Wrong("text is missing: the catalog".to_owned()))?;
    fields.end()?;
    Ok(text.replace("\r\n", "\n"))
}

fn page(reader: &PageReader, view: &ReplicaView, body: Markup) -> Response {
    let title = CatalogWords(reader.language).title();
    let scripts = [Asset::Answer];
    PageFrame { reader, place: Place::Catalog, title: &title, view: Some(view), scripts: &scripts, body }.render()
}

fn whole(reader: &PageReader, view: &ReplicaView, edit: &Edit, extent: EditExtent) -> Markup {
    let say = CatalogWords(reader.language);
    html! {
        p { (say.about()) }
        form.edit method="post" action="/catalog" data-answers="/catalog/problems" data-part="problems" {
            div.beside {
                div {
                    label for="text" { (say.text()) }
                    textarea id="text" name="text" rows="24" spellcheck="false" autocapitalize="none" autocomplete="off"
                        wrap="off" aria-describedby="problems-title" { "\n" (edit.text) }
                }
                section aria-labelledby="problems-title" {
                    h2 id="problems-title" { (say.problems()) }
                    (beside(reader, view, edit))
                }
            }
            p { button.main type="submit" { (say.go()) } }
        }
        @if extent == EditExtent::Preview {
            section id="preview" aria-labelledby="preview-title" {
                h2 id="preview-title" { (say.preview()) }
                @match &edit.preview {
                    Some(answer) => { (changes(reader, answer)) }
                    None => { p.problem { (say.no_preview()) } }
                }
            }
        }
    }
}

/// What stands beside the text.
fn beside(reader: &PageReader, view: &ReplicaView, edit: &Edit) -> Markup {
    let say = CatalogWords(reader.language);
    html! {
        div id="problems" role="status" aria-live="polite" {
            @if edit.problems.is_empty() { p { (say.good()) } }
            @else { (problems(reader.language, &edit.text, &edit.problems, true)) }
            @if let Some(fingerprint) = &edit.fingerprint {
                @if fingerprint == view.compiled.fingerprint() { p.quiet { (say.same()) } }
                @else { p.quiet { (say.fingerprint(fingerprint)) } }
            }
        }
    }
}
